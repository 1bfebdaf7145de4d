DROP TRIGGER "signing_keys_tell" ON "signing_keys";--> statement-breakpoint
DROP TRIGGER "sessions_revoke_tokens_of_truncated" ON "sessions";--> statement-breakpoint
DROP TRIGGER "sessions_revoke_tokens_of_deleted" ON "sessions";--> statement-breakpoint
DROP TRIGGER "sessions_revoke_tokens" ON "sessions";--> statement-breakpoint
DROP TRIGGER "users_revoke_tokens" ON "users";--> statement-breakpoint
DROP TRIGGER "users_raise_authz_version" ON "users";--> statement-breakpoint
DROP FUNCTION "auth_serve_tell_keys_changed"();--> statement-breakpoint
DROP FUNCTION "auth_serve_end_sessions"();--> statement-breakpoint
DROP FUNCTION "auth_serve_revoke_session_tokens"();--> statement-breakpoint
DROP FUNCTION "auth_serve_revoke_user_tokens"();--> statement-breakpoint
DROP FUNCTION "auth_serve_raise_authz_version"();--> statement-breakpoint
DROP INDEX "sessions_user_id_id_idx";--> statement-breakpoint
DROP INDEX "sessions_idle_expires_at_idx";--> statement-breakpoint
CREATE INDEX "sessions_user_id_idx" ON "sessions" USING btree ("user_id");--> statement-breakpoint
DELETE FROM "signing_keys" WHERE "private_key" IS NULL;--> statement-breakpoint
ALTER TABLE "signing_keys" ALTER COLUMN "private_key" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "signing_keys" DROP COLUMN "token_ttl_seconds";--> statement-breakpoint
ALTER TABLE "signing_keys" DROP COLUMN "activates_at";--> statement-breakpoint
DROP TABLE "revocations";
