#include "migrations/all.h"

namespace basalt::migrations {
namespace {

using Columns = std::vector<Column>;

Column flag(std::string name, bool at_first = false) { return boolean(std::move(name)).required().by_default(at_first); }
Column moment(std::string name) { return time(std::move(name)).required(); }
Column number(std::string name, int at_first = 0) { return integer(std::move(name)).required().by_default(at_first); }
Column document(std::string name) { return json_document(std::move(name)).required().by_default("{}"); }
Column documents(std::string name) { return json_document(std::move(name)).required().by_default("[]"); }
Column entity() { return text("entity_id").required(); }
// A link to the person who did it; the thing outlives the person's row.
Column by(std::string name) { return reference(std::move(name), "person").set_null(); }

// The bookkeeping of upgrades themselves, see upgrade/README.md.
void upgrade_tables(Schema& schema) {
  schema.create_table(table("upgrade_meta", {text("key").required().unique(), text("value").required()}).without_id());
  schema.create_table(table("upgrade_history", {integer("migration").required(), text("name").required(), text("direction").required().one_of({"up", "down"}), text("checksum").required(),
                                                text("state").required(), number("rows_changed"), number("ms"), text("binary_version").required(), integer("run"), moment("at")}));
  schema.create_table(table("upgrade_run", {integer("from_schema").required(), integer("to_schema").required(), text("state").required(), text("backup"), number("units_done"), number("units_total"),
                                            real("eta_seconds"), text("last_error"), text("binary_version").required(), moment("started_at"), time("ended_at")}));
  schema.create_table(table("upgrade_lock", {text("name").required().unique(), text("owner_host"), integer("owner_pid"), text("boot_id"), text("purpose"), number("fence"), time("heartbeat")}).not_in_backups());
  schema.create_table(table("upgrade_backfill", {integer("migration").required(), text("table_name").required(), text("last_key"), number("rows_done")}).unique({"migration", "table_name"}));
  schema.create_table(table("upgrade_park", {integer("migration").required(), integer("operation").required(), text("direction").required().one_of({"up", "down"}), text("table_name").required(), text("column_name"),
                                             text("parked_row").required(), json_document("value").required(), json_document("shown").required(),
                                             text("state").required().one_of({"parked", "returned", "superseded", "orphan", "taken"}), moment("parked_at"), integer("run")})
                          .index({"migration", "operation", "state"})
                          .index({"parked_row"}));
  schema.create_table(table("upgrade_hold", {integer("migration").required(), integer("operation").required(), text("kind").required().one_of({"table", "column"}), text("source_table").required(), text("source_column"),
                                             text("hold_table").required().unique(), number("rows_held"), text("state").required().one_of({"held", "returned", "purged"}), moment("held_at")}));
  schema.create_table(table("upgrade_down", {integer("migration").required().unique(), text("name").required(), text("since_version").required(), json_document("operations").required(), integer("operations_version").required(),
                                             text("checksum").required(), integer("compat_floor_before").required()}));
  schema.create_table(table("upgrade_node", {text("node").required().unique(), text("binary_version").required(), integer("target_schema").required(), moment("heartbeat")}).not_in_backups());
  schema.create_table(table("upgrade_backup", {text("backup_id").required().unique(), text("kind").required(), integer("schema_number").required(), text("location").required(), number("bytes"), text("root_hash").required(),
                                               json_document("tables").required(), time("verified_at"), text("reason"), time("keep_until"), moment("created_at")}));
}

void people_tables(Schema& schema) {
  schema.create_table(table("person", {text("email").required().unique(), text("first_name"), text("last_name"), text("password_hash"), flag("is_administrator"), flag("is_active", true),
                                       text("kind").required().by_default("personal").one_of({"personal", "api-key", "internal"}), text("locale"), json_document("attributes"), moment("created_at"), moment("updated_at"),
                                       time("joined_at"), time("last_sign_in_at"), entity()}));
  schema.create_table(table("permission_group", {text("name").required().unique(), text("kind").required().by_default("own").one_of({"own", "all-users", "administrators"}), entity(), moment("created_at")}));
  schema.create_table(table("group_membership", {reference("person").required().cascade(), reference("group_id", "permission_group").required().cascade()}).unique({"person_id", "group_id"}));
  schema.create_table(table("session", {text("key_hash").required().unique(), reference("person").required().cascade(), moment("created_at"), moment("expires_at"), time("last_used_at"), text("remote_address"),
                                        text("user_agent"), text("anti_csrf")})
                          .not_in_backups());
  schema.create_table(table("sign_in_failure", {text("identity").required(), moment("failed_at")}).index({"identity", "failed_at"}).not_in_backups());
  schema.create_table("password_reset", {reference("person").required().cascade(), text("token_hash").required().unique(), moment("created_at"), moment("expires_at"), time("used_at")});
  schema.create_table("api_key", {text("name").required().unique(), text("key_hash").required(), text("key_prefix").required().unique(), text("masked_key").required(), reference("person").required().cascade(),
                                  reference("group_id", "permission_group").required().cascade(), by("creator_id"), by("updated_by_id"), moment("created_at"), moment("updated_at")});
}

void data_tables(Schema& schema) {
  schema.create_table("database", {text("name").required(), text("description"), text("engine").required(), text("details").required().by_default("{}"), json_document("settings"), flag("is_sample"), flag("is_full_sync", true),
                                   flag("is_on_demand"), flag("auto_run_queries", true), boolean("refingerprint"), integer("cache_ttl"), text("caveats"), text("points_of_interest"),
                                   text("metadata_sync_schedule").required().by_default("0 50 * * * ? *"), text("cache_field_values_schedule").required().by_default("0 50 0 * * ? *"), text("timezone"),
                                   text("initial_sync_status").required().by_default("incomplete").one_of({"incomplete", "complete", "aborted"}), json_document("dbms_version"), by("creator_id"), moment("created_at"),
                                   moment("updated_at"), entity(), time("last_synced_at"), text("sync_error")});
  schema.create_table(table("data_table", {reference("database").required().cascade(), text("schema_name"), text("name").required(), text("display_name").required(), text("description"), text("caveats"), text("points_of_interest"),
                                           text("entity_type"), text("visibility_type"), text("field_order").required().by_default("database"), flag("active", true),
                                           text("initial_sync_status").required().by_default("incomplete").one_of({"incomplete", "complete", "aborted"}), integer("estimated_row_count"), number("view_count"), flag("is_view"),
                                           flag("show_in_getting_started"), time("deactivated_at"), moment("created_at"), moment("updated_at"), entity()})
                          .unique({"database_id", "schema_name", "name"}));
  schema.create_table(table("data_field", {reference("table_id", "data_table").required().cascade(), text("name").required(), text("display_name").required(), text("description"), text("database_type").required(),
                                           text("base_type").required(), text("effective_type"), text("semantic_type"), text("coercion_strategy"), reference("fk_target_field_id", "data_field").set_null(),
                                           text("visibility_type").required().by_default("normal"), text("has_field_values"), flag("active", true), number("position"), number("custom_position"), number("database_position"),
                                           flag("preview_display", true), reference("parent_id", "data_field").cascade(), json_document("settings"), json_document("fingerprint"), number("fingerprint_version"), time("last_analyzed"),
                                           text("caveats"), text("points_of_interest"), flag("database_is_pk"), flag("database_required"), flag("database_is_auto_increment"), flag("database_is_nullable", true),
                                           text("database_default"), moment("created_at"), moment("updated_at"), entity()})
                          .unique({"table_id", "name", "parent_id"}));
  schema.create_table("field_values", {reference("field_id", "data_field").required().unique().cascade(), documents("values_json"), json_document("human_readable_values"), flag("has_more_values"),
                                       text("kind").required().by_default("full"), moment("created_at"), moment("updated_at"), time("last_used_at")});
  schema.create_table("field_dimension", {reference("field_id", "data_field").required().unique().cascade(), text("name").required(), text("kind").required().one_of({"internal", "external"}),
                                          reference("human_readable_field_id", "data_field").set_null(), moment("created_at"), moment("updated_at"), entity()});
}

void content_tables(Schema& schema) {
  schema.create_table(table("collection", {text("name").required(), text("description"), text("slug").required(), text("location").required().by_default("/"), reference("personal_owner_id", "person").unique().cascade(),
                                           flag("archived"), boolean("archived_directly"), text("archive_operation_id"), text("authority_level"), text("kind"), text("namespace"), moment("created_at"), moment("updated_at"), entity()})
                          .index({"location"}));
  schema.create_table(table("dashboard", {text("name").required(), text("description"), documents("parameters"), text("width").required().by_default("fixed").one_of({"fixed", "full"}), flag("auto_apply_filters", true),
                                          reference("collection").cascade(), integer("collection_position"), flag("archived"), flag("archived_directly"), text("caveats"), text("points_of_interest"), flag("show_in_getting_started"),
                                          integer("position"), integer("cache_ttl"), flag("enable_embedding"), json_document("embedding_params"), text("public_uuid").unique(), by("made_public_by_id"),
                                          reference("creator_id", "person").required(), by("last_editor_id"), time("last_edited_at"), number("view_count"), time("last_viewed_at"), moment("created_at"), moment("updated_at"), entity()}));
  schema.create_table(table("card", {text("name").required(), text("description"), text("kind").required().by_default("question").one_of({"question", "model", "metric"}), text("display").required().by_default("table"),
                                     document("dataset_query"), text("query_type").required().by_default("query").one_of({"query", "native"}), reference("database").cascade(), reference("table_id", "data_table").set_null(),
                                     reference("source_card_id", "card").set_null(), document("visualization_settings"), documents("parameters"), documents("parameter_mappings"), json_document("result_metadata"),
                                     reference("collection").cascade(), integer("collection_position"), flag("collection_preview", true), reference("dashboard").cascade(), flag("archived"), flag("archived_directly"),
                                     flag("enable_embedding"), json_document("embedding_params"), text("public_uuid").unique(), by("made_public_by_id"), integer("cache_ttl"), reference("creator_id", "person").required(), by("last_editor_id"),
                                     time("last_edited_at"), number("view_count"), time("last_used_at"), real("average_query_time"), text("saved_by_version").required().by_default(""), moment("created_at"), moment("updated_at"),
                                     entity()}));
  schema.create_table("dashboard_tab", {reference("dashboard").required().cascade(), text("name").required(), number("position"), moment("created_at"), moment("updated_at"), entity()});
  schema.create_table("dashcard", {reference("dashboard").required().cascade(), reference("dashboard_tab").cascade(), reference("card").cascade(), integer("action_id"), number("row_position"), number("column_position"),
                                   number("size_x", 4), number("size_y", 4), documents("parameter_mappings"), json_document("inline_parameters"), document("visualization_settings"), moment("created_at"), moment("updated_at"), entity()});
  schema.create_table("dashcard_series", {reference("dashcard").required().cascade(), reference("card").required().cascade(), number("position")});
  // Saved filters and aggregations of a table.
  for (auto name : {"segment", "measure"})
    schema.create_table(table(name, {text("name").required(), text("description"), reference("table_id", "data_table").required().cascade(), document("definition"), flag("archived"), flag("show_in_getting_started"), text("caveats"),
                                     text("points_of_interest"), by("creator_id"), moment("created_at"), moment("updated_at"), entity()}));
  schema.create_table(table("snippet", {text("name").required().unique(), text("description"), text("content").required(), reference("collection").set_null(), flag("archived"), reference("creator_id", "person").required(),
                                        json_document("template_tags"), moment("created_at"), moment("updated_at"), entity()}));
}

void rights_tables(Schema& schema) {
  schema.create_table(table("data_permission", {reference("group_id", "permission_group").required().cascade(), reference("database").required().cascade(), text("schema_name"), reference("table_id", "data_table").cascade(),
                                                text("kind").required().one_of({"create-queries", "view-data"}), text("value").required()})
                          .unique({"group_id", "database_id", "schema_name", "table_id", "kind"}));
  schema.create_table(table("collection_permission", {reference("group_id", "permission_group").required().cascade(), reference("collection").cascade(), text("value").required().one_of({"view", "curate"})})
                          .unique({"group_id", "collection_id"}));
  schema.create_table("permission_revision", {text("kind").required().one_of({"data", "collection"}), document("before"), document("after"), by("person_id"), moment("created_at")});
}

void other_tables(Schema& schema) {
  schema.create_table(table("setting", {text("key").required().unique(), text("value"), moment("updated_at")}).without_id());
  schema.create_table(table("revision", {text("model").required(), integer("model_id").required(), by("person_id"), document("object"), flag("is_creation"), flag("is_reversion"), text("message"),
                                         text("saved_by_version").required().by_default(""), moment("created_at")})
                          .index({"model", "model_id"}));
  schema.create_table(table("bookmark", {reference("person").required().cascade(), text("model").required(), integer("model_id").required(), number("position"), moment("created_at")}).unique({"person_id", "model", "model_id"}));
  schema.create_table(table("recent_view", {reference("person").required().cascade(), text("model").required(), integer("model_id").required(), text("context").required().by_default("view").one_of({"view", "selection"}), moment("viewed_at")})
                          .unique({"person_id", "model", "model_id", "context"}));
  schema.create_table(table("parameter_value", {reference("person").required().cascade(), reference("dashboard").required().cascade(), text("parameter_id").required(), json_document("value")})
                          .unique({"person_id", "dashboard_id", "parameter_id"}));
  schema.create_table(table("task_run", {text("task").required(), reference("database").set_null(), text("status").required().one_of({"started", "success", "failed"}), moment("started_at"), time("ended_at"), integer("duration_ms"),
                                         json_document("details"), text("message")})
                          .index({"started_at"}));
}

}  // namespace

Migration m0001_first_schema() {
  Schema schema;
  upgrade_tables(schema);
  people_tables(schema);
  data_tables(schema);
  content_tables(schema);
  rights_tables(schema);
  other_tables(schema);
  json::object now{{"$", "now"}}, made{{"$", "entity_id"}};
  // Their ids are 1 and 2, for good: clients know them.
  schema.insert_rows("permission_group", {"name"}, {{{"name", "All Users"}, {"kind", "all-users"}, {"entity_id", made}, {"created_at", now}},
                                                    {{"name", "Administrators"}, {"kind", "administrators"}, {"entity_id", made}, {"created_at", now}}});
  return {.number = 1, .name = "first_schema", .since_version = "0.1.0", .compat_floor = 1, .operations = std::move(schema).operations()};
}

}  // namespace basalt::migrations
