DROP TABLE "login_attempts";--> statement-breakpoint
DROP TABLE "audit_events";--> statement-breakpoint
DROP TABLE "signing_keys";--> statement-breakpoint
DROP TABLE "sessions";--> statement-breakpoint
DROP TABLE "users";
