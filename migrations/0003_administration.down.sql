LOCK TABLE "users", "audit_events" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
DROP TRIGGER "users_keep_search" ON "users";--> statement-breakpoint
DROP FUNCTION "auth_serve_keep_user_search"();--> statement-breakpoint
DROP TABLE "user_search";--> statement-breakpoint
DROP INDEX "users_created_at_id_idx", "users_last_login_at_id_idx";--> statement-breakpoint
ALTER TABLE "audit_events" RENAME TO "audit_events_before";--> statement-breakpoint
ALTER INDEX "audit_events_actor_id_idx" RENAME TO "audit_events_before_actor_id_idx";--> statement-breakpoint
ALTER INDEX "audit_events_target_id_idx" RENAME TO "audit_events_before_target_id_idx";--> statement-breakpoint
CREATE TABLE "audit_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"outcome" text NOT NULL,
	"occurred_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor_id" uuid,
	"target_id" uuid,
	"session_id" uuid,
	"request_id" text,
	"ip_address" text,
	"user_agent" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
INSERT INTO "audit_events" SELECT "id", "type", "outcome", "occurred_at", "actor_id", "target_id", "session_id", "request_id", "ip_address", "user_agent", "details" FROM "audit_events_before" ON CONFLICT DO NOTHING;--> statement-breakpoint
DROP TABLE "audit_events_before";--> statement-breakpoint
CREATE INDEX "audit_events_actor_id_idx" ON "audit_events" USING btree ("actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_target_id_idx" ON "audit_events" USING btree ("target_id","id");--> statement-breakpoint
DROP TABLE "audit_unsealed";--> statement-breakpoint
DROP TABLE "audit_seals";--> statement-breakpoint
DROP TABLE "webhook_deliveries";--> statement-breakpoint
DROP TABLE "webhooks";--> statement-breakpoint
DROP TABLE "user_imports";--> statement-breakpoint
DROP FUNCTION "auth_serve_pass_on_events"();--> statement-breakpoint
DROP FUNCTION "auth_serve_add_audit_partition"(timestamptz);--> statement-breakpoint
DROP FUNCTION "auth_serve_refuse_change"();
