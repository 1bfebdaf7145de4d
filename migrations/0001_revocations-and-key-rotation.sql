LOCK TABLE "users", "sessions" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
CREATE TABLE "revocations" (
	"subject_id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"authz_version" integer,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "signing_keys" ALTER COLUMN "private_key" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "activates_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "token_ttl_seconds" integer DEFAULT 86400 NOT NULL;--> statement-breakpoint
CREATE INDEX "revocations_expires_at_idx" ON "revocations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "sessions_idle_expires_at_idx" ON "sessions" USING btree ("idle_expires_at");--> statement-breakpoint
CREATE INDEX "sessions_user_id_id_idx" ON "sessions" USING btree ("user_id","id");--> statement-breakpoint
DROP INDEX "sessions_user_id_idx";--> statement-breakpoint
CREATE FUNCTION "auth_serve_raise_authz_version"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.authz_version := OLD.authz_version + 1;
	RETURN NEW;
END
$$;--> statement-breakpoint
CREATE FUNCTION "auth_serve_revoke_user_tokens"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	-- A day is the longest life of an access token, and a refresh that is under way may still sign one of the old version:
	-- by the clock of the commit, since such a refresh may have begun long after this transaction.
	until timestamptz := clock_timestamp() + interval '1 day 60 s';
BEGIN
	-- Nobody issues a token to an account that is disabled or deleted, so the end of its sessions says it all.
	IF NOT NEW.is_active OR NEW.deleted_at IS NOT NULL THEN
		UPDATE sessions SET revoked_at = now() WHERE user_id = NEW.id AND revoked_at IS NULL;
		RETURN NULL;
	END IF;
	INSERT INTO revocations (subject_id, kind, authz_version, expires_at)
		VALUES (NEW.id, 'user', NEW.authz_version, until)
		ON CONFLICT (subject_id) DO UPDATE SET
			authz_version = greatest(revocations.authz_version, EXCLUDED.authz_version),
			expires_at = greatest(revocations.expires_at, EXCLUDED.expires_at);
	PERFORM pg_notify('auth_serve', format('u %s %s %s', NEW.id, NEW.authz_version, ceil(extract(epoch FROM until))));
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE FUNCTION "auth_serve_revoke_session_tokens"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	until timestamptz := OLD.access_until + interval '60 s';
BEGIN
	INSERT INTO revocations (subject_id, kind, expires_at) VALUES (OLD.id, 'session', until)
		ON CONFLICT (subject_id) DO UPDATE SET expires_at = greatest(revocations.expires_at, EXCLUDED.expires_at);
	PERFORM pg_notify('auth_serve', format('s %s %s', OLD.id, ceil(extract(epoch FROM until))));
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE FUNCTION "auth_serve_end_sessions"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE FUNCTION "auth_serve_tell_keys_changed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('auth_serve', 'k');
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "users_raise_authz_version" BEFORE UPDATE OF "roles", "is_active", "deleted_at" ON "users" FOR EACH ROW
	WHEN ((OLD.roles, OLD.is_active, OLD.deleted_at) IS DISTINCT FROM (NEW.roles, NEW.is_active, NEW.deleted_at) AND NEW.authz_version = OLD.authz_version)
	EXECUTE FUNCTION "auth_serve_raise_authz_version"();--> statement-breakpoint
CREATE CONSTRAINT TRIGGER "users_revoke_tokens" AFTER UPDATE OF "roles", "is_active", "deleted_at", "authz_version" ON "users"
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	WHEN (OLD.authz_version IS DISTINCT FROM NEW.authz_version)
	EXECUTE FUNCTION "auth_serve_revoke_user_tokens"();--> statement-breakpoint
CREATE TRIGGER "sessions_revoke_tokens" AFTER UPDATE OF "revoked_at" ON "sessions" FOR EACH ROW
	WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL AND NEW.access_until > now() - interval '60 s')
	EXECUTE FUNCTION "auth_serve_revoke_session_tokens"();--> statement-breakpoint
CREATE TRIGGER "sessions_revoke_tokens_of_deleted" AFTER DELETE ON "sessions" FOR EACH ROW
	WHEN (OLD.revoked_at IS NULL AND OLD.access_until > now() - interval '60 s')
	EXECUTE FUNCTION "auth_serve_revoke_session_tokens"();--> statement-breakpoint
CREATE TRIGGER "sessions_revoke_tokens_of_truncated" BEFORE TRUNCATE ON "sessions" FOR EACH STATEMENT
	EXECUTE FUNCTION "auth_serve_end_sessions"();--> statement-breakpoint
CREATE TRIGGER "signing_keys_tell" AFTER INSERT OR UPDATE OR DELETE ON "signing_keys" FOR EACH ROW
	EXECUTE FUNCTION "auth_serve_tell_keys_changed"();--> statement-breakpoint
UPDATE "sessions" s SET "revoked_at" = now() FROM "users" u WHERE u.id = s.user_id AND s.revoked_at IS NULL AND (NOT u.is_active OR u.deleted_at IS NOT NULL);--> statement-breakpoint
INSERT INTO "revocations" ("subject_id", "kind", "expires_at")
	SELECT id, 'session', access_until + interval '60 s' FROM "sessions" WHERE revoked_at IS NOT NULL AND access_until > now() - interval '60 s' ON CONFLICT DO NOTHING;--> statement-breakpoint
INSERT INTO "revocations" ("subject_id", "kind", "authz_version", "expires_at")
	SELECT id, 'user', authz_version, now() + interval '1 day' FROM "users" WHERE authz_version > 1 ON CONFLICT DO NOTHING;
