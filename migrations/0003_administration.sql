LOCK TABLE "users", "audit_events" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
CREATE TABLE "audit_seals" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"sealed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"event_ids" uuid[] DEFAULT '{}'::uuid[] NOT NULL,
	"since" timestamp (3) with time zone,
	"until" timestamp (3) with time zone NOT NULL,
	"event_macs" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"mac" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_unsealed" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "user_imports" (
	"fingerprint" text PRIMARY KEY NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"created" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"refused" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "user_search" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"username" text,
	"name" text,
	"last_name" text,
	"roles" text[] DEFAULT '{user}'::text[] NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"event_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"event_type" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"retries_since" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"leased_until" timestamp (3) with time zone,
	"last_status" integer,
	"last_error" text,
	"delivered_at" timestamp (3) with time zone,
	CONSTRAINT "webhook_deliveries_event_id_webhook_id_pk" PRIMARY KEY("event_id","webhook_id")
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" uuid PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"description" text,
	"event_types" text[] DEFAULT '{}'::text[] NOT NULL,
	"secret" text NOT NULL,
	"previous_secret" text,
	"previous_secret_until" timestamp (3) with time zone,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "audit_seals_period_idx" ON "audit_seals" USING gist (tstzrange("since", "until", '[]')) WHERE kind = 'events';--> statement-breakpoint
ALTER TABLE "user_search" ADD CONSTRAINT "user_search_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "user_search_email_idx" ON "user_search" USING btree ("email" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "user_search_username_idx" ON "user_search" USING btree ("username" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "user_search_name_idx" ON "user_search" USING btree ("name" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "user_search_last_name_idx" ON "user_search" USING btree ("last_name" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "user_search_roles_idx" ON "user_search" USING gin ("roles") WHERE roles <> '{user}'::text[];--> statement-breakpoint
CREATE INDEX "user_search_disabled_idx" ON "user_search" USING btree ("user_id") WHERE not is_active;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_pending_idx" ON "webhook_deliveries" USING btree ("webhook_id","next_attempt_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_webhook_id_idx" ON "webhook_deliveries" USING btree ("webhook_id","event_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_over_idx" ON "webhook_deliveries" USING btree ("next_attempt_at") WHERE status <> 'pending';--> statement-breakpoint
CREATE INDEX "users_created_at_id_idx" ON "users" USING btree ("created_at","id") WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX "users_last_login_at_id_idx" ON "users" USING btree (coalesce(last_login_at, '-infinity'),"id") WHERE deleted_at is null;--> statement-breakpoint
CREATE FUNCTION "auth_serve_keep_user_search"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	IF NEW.deleted_at IS NOT NULL THEN
		DELETE FROM user_search WHERE user_id = NEW.id;
		RETURN NULL;
	END IF;
	INSERT INTO user_search (user_id, email, username, name, last_name, roles, is_active)
		VALUES (NEW.id, NEW.email_canonical, NEW.username_canonical, lower(nullif(concat_ws(' ', NEW.first_name, NEW.last_name), '')), lower(NEW.last_name), NEW.roles, NEW.is_active)
		ON CONFLICT (user_id) DO UPDATE SET email = EXCLUDED.email, username = EXCLUDED.username, name = EXCLUDED.name, last_name = EXCLUDED.last_name,
			roles = EXCLUDED.roles, is_active = EXCLUDED.is_active;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "users_keep_search" AFTER INSERT OR UPDATE OF "email_canonical", "username_canonical", "first_name", "last_name", "roles", "is_active", "deleted_at" ON "users" FOR EACH ROW
	EXECUTE FUNCTION "auth_serve_keep_user_search"();--> statement-breakpoint
INSERT INTO "user_search" ("user_id", "email", "username", "name", "last_name", "roles", "is_active")
	SELECT id, email_canonical, username_canonical, lower(nullif(concat_ws(' ', first_name, last_name), '')), lower(last_name), roles, is_active FROM "users" WHERE deleted_at IS NULL;--> statement-breakpoint
DO $$
DECLARE
	place text;
BEGIN
	-- Where the extension is not to be had, or not by this role, people are found by prefixes.
	IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm' AND installed_version IS NULL) THEN
		BEGIN
			CREATE EXTENSION pg_trgm;
		EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL;
		END;
	END IF;
	SELECT quote_ident(n.nspname) INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
	IF place IS NOT NULL THEN
		EXECUTE format('CREATE INDEX user_search_trigram_idx ON user_search USING gin (email %1$s.gin_trgm_ops, username %1$s.gin_trgm_ops, name %1$s.gin_trgm_ops)', place);
	END IF;
END
$$;--> statement-breakpoint
ALTER TABLE "audit_events" RENAME TO "audit_events_before";--> statement-breakpoint
DROP INDEX "audit_events_actor_id_idx", "audit_events_target_id_idx";--> statement-breakpoint
CREATE TABLE "audit_events" (
	"id" uuid NOT NULL,
	"type" text NOT NULL,
	"outcome" text NOT NULL,
	"occurred_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"actor_id" uuid,
	"target_id" uuid,
	"session_id" uuid,
	"request_id" text,
	"ip_address" text,
	"user_agent" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "audit_events_occurred_at_id_pk" PRIMARY KEY("occurred_at","id")
) PARTITION BY RANGE ("occurred_at");
--> statement-breakpoint
CREATE INDEX "audit_events_type_idx" ON "audit_events" USING btree ("type","occurred_at","id");--> statement-breakpoint
CREATE INDEX "audit_events_actor_id_idx" ON "audit_events" USING btree ("actor_id","occurred_at","id");--> statement-breakpoint
CREATE INDEX "audit_events_target_id_idx" ON "audit_events" USING btree ("target_id","occurred_at","id");--> statement-breakpoint
CREATE FUNCTION "auth_serve_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;--> statement-breakpoint
CREATE FUNCTION "auth_serve_add_audit_partition"("moment" timestamptz) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
	-- Months of UTC, whatever the time zone of the connection.
	month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
	partition text := 'audit_events_' || to_char(month, 'YYYY_MM');
BEGIN
	IF to_regclass(partition) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- Instances that start together make it once.
	PERFORM pg_advisory_xact_lock(107157092068719);
	-- Asked of the catalog itself: that to_regclass found nothing is remembered.
	IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = partition AND n.nspname = current_schema()) THEN
		RETURN false;
	END IF;
	-- Attached rather than made as a partition: that locks out nobody who writes events meanwhile.
	EXECUTE format('CREATE TABLE %I (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
	EXECUTE format('CREATE TRIGGER audit_events_refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION auth_serve_refuse_change()', partition);
	EXECUTE format('ALTER TABLE audit_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
	RETURN true;
END
$$;--> statement-breakpoint
DO $$
DECLARE
	month timestamptz := coalesce((SELECT min(occurred_at) FROM audit_events_before), now());
BEGIN
	-- Ahead of time, so that events have a place even where nothing makes months for a while.
	WHILE month < now() + interval '7 months' LOOP
		PERFORM auth_serve_add_audit_partition(month);
		month := month + interval '1 month';
	END LOOP;
END
$$;--> statement-breakpoint
INSERT INTO "audit_events" ("id", "type", "outcome", "occurred_at", "actor_id", "target_id", "session_id", "request_id", "ip_address", "user_agent", "details")
	SELECT "id", "type", "outcome", "occurred_at", "actor_id", "target_id", "session_id", "request_id", "ip_address", "user_agent", "details" FROM "audit_events_before";--> statement-breakpoint
INSERT INTO "audit_unsealed" ("event_id", "occurred_at") SELECT "id", "occurred_at" FROM "audit_events_before";--> statement-breakpoint
DROP TABLE "audit_events_before";--> statement-breakpoint
CREATE TRIGGER "audit_events_refuse_change" BEFORE UPDATE OR DELETE ON "audit_events" FOR EACH ROW
	EXECUTE FUNCTION "auth_serve_refuse_change"();--> statement-breakpoint
CREATE TRIGGER "audit_events_refuse_truncate" BEFORE TRUNCATE ON "audit_events" FOR EACH STATEMENT
	EXECUTE FUNCTION "auth_serve_refuse_change"();--> statement-breakpoint
CREATE TRIGGER "audit_seals_refuse_change" BEFORE UPDATE OR DELETE ON "audit_seals" FOR EACH ROW
	EXECUTE FUNCTION "auth_serve_refuse_change"();--> statement-breakpoint
CREATE TRIGGER "audit_seals_refuse_truncate" BEFORE TRUNCATE ON "audit_seals" FOR EACH STATEMENT
	EXECUTE FUNCTION "auth_serve_refuse_change"();--> statement-breakpoint
CREATE FUNCTION "auth_serve_pass_on_events"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO audit_unsealed (event_id, occurred_at) SELECT id, occurred_at FROM added;
	INSERT INTO webhook_deliveries (event_id, webhook_id, occurred_at, event_type)
		SELECT added.id, webhooks.id, added.occurred_at, added.type
		FROM added JOIN webhooks ON webhooks.is_active AND (webhooks.event_types = '{}' OR added.type = ANY (webhooks.event_types))
		ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "audit_events_pass_on" AFTER INSERT ON "audit_events" REFERENCING NEW TABLE AS added FOR EACH STATEMENT
	EXECUTE FUNCTION "auth_serve_pass_on_events"();
