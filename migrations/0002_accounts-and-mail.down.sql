DROP TABLE "mail_cooldowns";--> statement-breakpoint
DROP TABLE "outbox";--> statement-breakpoint
DROP TABLE "action_tokens";--> statement-breakpoint
ALTER TABLE "users" DROP COLUMN "devices_known_since";--> statement-breakpoint
ALTER TABLE "login_attempts" DROP COLUMN "account_key";
