#include "features/databases/sync.h"

#include <cstdio>

#include "base/log.h"
#include "base/random.h"
#include "features/databases/metadata_json.h"

namespace basalt::features {
namespace {

constexpr std::int64_t sample_rows = 10'000;        // fingerprints look at that many rows at most
constexpr std::size_t listed_values_at_most = 1000; // a list filter with more values becomes a search
constexpr std::size_t list_when_up_to = 100;        // distinct values that make a text column list-like
constexpr std::int64_t category_when_up_to = 30;
constexpr std::int64_t fingerprint_version = 5;

bool is_text_type(const std::string& type) { return type == "type/Text" || type == "type/TextLike" || type == "type/PostgresEnum"; }
bool is_number_type(const std::string& type) { return type == "type/Integer" || type == "type/BigInteger" || type == "type/Float" || type == "type/Decimal" || type == "type/Number"; }
bool is_temporal_type(const std::string& type) { return type == "type/Date" || type.starts_with("type/DateTime"); }
bool can_be_counted(const std::string& type) {
  return is_text_type(type) || is_number_type(type) || is_temporal_type(type) || type == "type/Boolean" || type == "type/UUID" || type == "type/Time";
}

json::array field_ref(std::int64_t id) { return {"field", id, nullptr}; }

json::array clause(const char* name, json::value argument) {
  json::array out;
  out.push_back(json::value(name));
  out.push_back(std::move(argument));
  return out;
}

struct StoredTable { TableId id; bool active = true; };
struct StoredField { std::int64_t id; std::string base_type, database_type; bool active = true; bool has_meaning = false; };

}  // namespace

SyncJobs::SyncJobs(Parts parts) : parts_(parts), pool_("sync", 2, 1000) {}

SyncJobs::~SyncJobs() { stop_all(); }

void SyncJobs::wait(DatabaseId database) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::minutes(10), [&] { return !running_.contains(database); });
}

void SyncJobs::stop_all() {
  std::lock_guard lock(mutex_);
  for (auto& [id, progress] : running_) {
    progress->again = false;
    progress->stop.request_stop();
  }
}

bool SyncJobs::start(DatabaseId database, SyncDepth depth) {
  std::shared_ptr<Progress> progress;
  {
    std::lock_guard lock(mutex_);
    auto found = running_.find(database);
    if (found != running_.end()) {
      found->second->again = true;
      found->second->again_depth = std::max(found->second->again_depth, depth);
      return true;
    }
    progress = std::make_shared<Progress>();
    progress->phase = "waiting";
    running_[database] = progress;
  }
  bool accepted = pool_.submit([this, database, depth, progress] {
    SyncDepth next = depth;
    for (;;) {
      try {
        if (!progress->stop.stop_requested()) run(database, next, progress->stop.get_token());
      } catch (const std::exception& e) {
        log::warning("Sync failed", {{"database", std::to_string(database.value)}, {"error", e.what()}});
      }
      std::lock_guard lock(mutex_);
      if (progress->again && !progress->stop.stop_requested()) { progress->again = false; next = progress->again_depth; continue; }
      running_.erase(database);
      changed_.notify_all();
      return;
    }
  });
  if (!accepted) {
    std::lock_guard lock(mutex_);
    running_.erase(database);
  }
  return accepted;
}

void SyncJobs::cancel(DatabaseId database) {
  std::unique_lock lock(mutex_);
  auto found = running_.find(database);
  if (found == running_.end()) return;
  found->second->again = false;
  found->second->stop.request_stop();
  changed_.wait_for(lock, std::chrono::seconds(30), [&] { return !running_.contains(database); });
}

json::value SyncJobs::progress(DatabaseId database) const {
  std::lock_guard lock(mutex_);
  auto found = running_.find(database);
  if (found == running_.end()) return nullptr;
  auto& p = *found->second;
  return json::object{{"phase", p.phase}, {"done", p.done}, {"total", p.total}, {"table", p.table.empty() ? json::value(nullptr) : json::value(p.table)}};
}

void SyncJobs::set_progress(DatabaseId database, std::string phase, std::size_t done, std::size_t total, std::string table) {
  std::lock_guard lock(mutex_);
  auto found = running_.find(database);
  if (found == running_.end()) return;
  found->second->phase = std::move(phase);
  found->second->done = done;
  found->second->total = total;
  found->second->table = std::move(table);
}

void SyncJobs::run(DatabaseId database, SyncDepth depth, std::stop_token stop) {
  auto started = parts_.clock.now();
  auto task = parts_.store.write([&](appdb::Connection& c) {
    // A bounded history: the newest thousand runs.
    c.execute("DELETE FROM task_run WHERE id <= (SELECT max(id) FROM task_run) - 1000");
    return c.insert("task_run", {{"task", depth == SyncDepth::ValuesOnly ? "field-values" : "sync"}, {"database_id", database}, {"status", "started"}, {"started_at", started}});
  });
  auto finish = [&](const char* status, std::optional<std::string> message) {
    auto now = parts_.clock.now();
    parts_.store.write([&](appdb::Connection& c) {
      c.update("task_run", {{"status", status}, {"ended_at", now}, {"message", message},
                            {"duration_ms", std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(now - started).count()}}}, "id", task);
      std::vector<appdb::Assignment> columns{{"sync_error", message}};
      if (!message) columns.emplace_back("last_synced_at", now);
      if (!message && depth != SyncDepth::ValuesOnly) columns.emplace_back("initial_sync_status", "complete");
      c.update("database", columns, "id", database);
      if (message) c.execute("UPDATE \"database\" SET initial_sync_status = 'aborted' WHERE id = ? AND initial_sync_status = 'incomplete'", {database});
    });
    parts_.cache.forget();
  };
  try {
    if (depth != SyncDepth::ValuesOnly) sync_schema(database, stop);
    std::vector<std::pair<TableId, std::string>> tables;
    parts_.store.read([&](appdb::Connection& c) {
      c.each("SELECT id, name FROM data_table WHERE database_id = ? AND active = ? AND visibility_type IS NULL ORDER BY id", {database, true},
             [&](const appdb::Row& row) { tables.emplace_back(row.id<TableId>("id"), row.text("name")); });
    });
    if (depth != SyncDepth::SchemaOnly) {
      std::size_t done = 0, failed = 0;
      std::string first_error;
      for (auto& [table, name] : tables) {
        if (stop.stop_requested()) break;
        set_progress(database, depth == SyncDepth::ValuesOnly ? "values" : "fingerprints", done++, tables.size(), name);
        try {
          // One table that cannot be read (a broken view, no right) does not keep the others from being described.
          if (depth != SyncDepth::ValuesOnly) fingerprint_table(database, table);
          scan_values(database, table);
        } catch (const Failure& failure) {
          if (failure.kind() == FailureKind::Cancelled) throw;
          if (failed++ == 0) first_error = failure.sentence();
          log::warning("A table could not be looked at", {{"database", std::to_string(database.value)}, {"table", std::to_string(table.value)}, {"reason", failure.sentence()}});
        }
      }
      if (failed && failed == tables.size()) throw Failure(FailureKind::Database, first_error);
    }
    if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
    finish("success", std::nullopt);
  } catch (const Failure& failure) {
    finish("failed", failure.sentence());
    throw;
  }
}

void SyncJobs::sync_schema(DatabaseId database, std::stop_token stop) {
  set_progress(database, "tables", 0, 0);
  auto row = parts_.store.read([&](appdb::Connection& c) { return c.query_one("SELECT engine, details FROM \"database\" WHERE id = ?", {database}); });
  if (!row) throw not_found();
  auto& driver = parts_.drivers.require(row->text("engine"));
  auto details = json::parse(parts_.sealer.open(row->text("details")));
  auto connection = driver.connect(details.as_object());
  auto version = connection->version();

  std::map<std::pair<std::string, std::string>, StoredTable> stored;  // by schema and name
  parts_.store.read([&](appdb::Connection& c) {
    c.each("SELECT id, schema_name, name, active FROM data_table WHERE database_id = ?", {database}, [&](const appdb::Row& t) {
      stored[{t.optional_text("schema_name").value_or(""), t.text("name")}] = {t.id<TableId>("id"), t.boolean("active")};
    });
  });

  std::set<std::int64_t> seen;
  std::vector<drivers::DescribedTable> waiting;
  std::size_t done = 0;
  auto store_waiting = [&] {
    if (waiting.empty()) return;
    auto now = parts_.clock.now();
    parts_.store.write([&](appdb::Connection& c) {
      for (auto& table : waiting) {
        auto key = std::pair(table.schema.value_or(""), table.name);
        auto found = stored.find(key);
        TableId id;
        std::map<std::string, StoredField> fields;
        if (found == stored.end()) {
          id = TableId(c.insert("data_table", {{"database_id", database}, {"schema_name", table.schema}, {"name", table.name}, {"display_name", humanize(table.name)},
              {"description", table.comment}, {"entity_type", "entity/GenericTable"}, {"field_order", "database"}, {"active", true}, {"initial_sync_status", "incomplete"},
              {"estimated_row_count", table.estimated_rows}, {"view_count", 0}, {"is_view", table.is_view}, {"show_in_getting_started", false}, {"created_at", now}, {"updated_at", now},
              {"entity_id", entity_id()}}));
          stored[key] = {id, true};
        } else {
          id = found->second.id;
          c.execute("UPDATE data_table SET active = ?, is_view = ?, estimated_row_count = ?, deactivated_at = NULL, description = coalesce(description, ?) WHERE id = ?",
                    {true, table.is_view, table.estimated_rows, table.comment, id});
          c.each("SELECT id, name, base_type, database_type, active, semantic_type FROM data_field WHERE table_id = ? AND parent_id IS NULL", {id}, [&](const appdb::Row& f) {
            fields[f.text("name")] = {f.integer("id"), f.text("base_type"), f.text("database_type"), f.boolean("active"), !f.is_null("semantic_type")};
          });
        }
        seen.insert(id.value);
        std::vector<appdb::Parameters> fresh;
        for (auto& column : table.columns) {
          auto known = fields.find(column.name);
          if (known == fields.end()) {
            std::optional<std::string> meaning = column.is_primary_key ? std::optional<std::string>("type/PK") : guess_semantic_type(column.name, column.base_type);
            fresh.push_back({id, column.name, humanize(column.name), column.comment, column.database_type, column.base_type, column.base_type, meaning, "normal", true,
                             column.position, 0, column.position, true, 0, column.is_primary_key, column.required, column.auto_increment, column.nullable, column.default_value, now, now, entity_id()});
            continue;
          }
          auto& old = known->second;
          bool type_changed = old.base_type != column.base_type;
          c.execute("UPDATE data_field SET active = ?, database_type = ?, base_type = ?, effective_type = CASE WHEN coercion_strategy IS NULL THEN ? ELSE effective_type END, "
                    "database_position = ?, database_is_pk = ?, database_required = ?, database_is_auto_increment = ?, database_is_nullable = ?, database_default = ?, "
                    "description = coalesce(description, ?), fingerprint_version = CASE WHEN ? THEN 0 ELSE fingerprint_version END WHERE id = ?",
                    {true, column.database_type, column.base_type, column.base_type, column.position, column.is_primary_key, column.required, column.auto_increment, column.nullable,
                     column.default_value, column.comment, type_changed, old.id});
          if (column.is_primary_key && !old.has_meaning) c.execute("UPDATE data_field SET semantic_type = 'type/PK' WHERE id = ?", {old.id});
          fields.erase(known);
        }
        if (!fresh.empty())
          c.insert_rows("data_field", {"table_id", "name", "display_name", "description", "database_type", "base_type", "effective_type", "semantic_type", "visibility_type", "active",
              "position", "custom_position", "database_position", "preview_display", "fingerprint_version", "database_is_pk", "database_required", "database_is_auto_increment",
              "database_is_nullable", "database_default", "created_at", "updated_at", "entity_id"}, fresh);
        // What is left in `fields` is gone from the database: kept, switched off, so that questions can say what is missing.
        for (auto& [name, field] : fields) {
          if (field.active) c.execute("UPDATE data_field SET active = ?, updated_at = ? WHERE id = ?", {false, now, field.id});
        }
        c.execute("UPDATE data_table SET initial_sync_status = 'complete' WHERE id = ? AND initial_sync_status <> 'complete'", {id});
      }
    });
    done += waiting.size();
    waiting.clear();
  };

  std::size_t columns = 0;
  connection->describe(stop, [&](drivers::DescribedTable table) {
    columns += table.columns.size();
    set_progress(database, "tables", done + waiting.size(), 0, table.name);
    waiting.push_back(std::move(table));
    if (waiting.size() >= 50 || columns > 2000) { store_waiting(); columns = 0; }
  });
  if (stop.stop_requested()) throw Failure(FailureKind::Cancelled, "The sync was stopped.");
  store_waiting();

  set_progress(database, "keys", done, done);
  auto keys = connection->foreign_keys();
  auto now = parts_.clock.now();
  parts_.store.write([&](appdb::Connection& c) {
    for (auto& [key, table] : stored) {
      if (table.active && !seen.contains(table.id.value)) c.execute("UPDATE data_table SET active = ?, deactivated_at = ?, updated_at = ? WHERE id = ?", {false, now, now, table.id});
    }
    for (auto& key : keys) {
      auto origin = stored.find({key.schema.value_or(""), key.table});
      auto target = stored.find({key.target_schema.value_or(""), key.target_table});
      if (origin == stored.end() || target == stored.end()) continue;
      auto target_field = c.query_one("SELECT id FROM data_field WHERE table_id = ? AND name = ? AND parent_id IS NULL", {target->second.id, key.target_column});
      if (!target_field) continue;
      c.execute("UPDATE data_field SET fk_target_field_id = ?, semantic_type = CASE WHEN semantic_type IS NULL OR semantic_type NOT IN ('type/PK') THEN 'type/FK' ELSE semantic_type END "
                "WHERE table_id = ? AND name = ? AND parent_id IS NULL AND fk_target_field_id IS NULL",
                {target_field->integer("id"), origin->second.id, key.column});
    }
    json::array numbers;
    for (int n : version.numbers) numbers.push_back(json::value(n));
    c.update("database", {{"dbms_version", json::object{{"flavor", version.flavor}, {"version", version.version}, {"semantic-version", std::move(numbers)}}}}, "id", database);
  });
  parts_.cache.forget();
}

json::array SyncJobs::rows_of(DatabaseId database, json::object inner_query, std::size_t limit) {
  pipeline::QueryRequest request;
  request.dataset_query = json::object{{"database", database.value}, {"type", "query"}, {"query", std::move(inner_query)}, {"middleware", json::object{{"disable-remaps?", true}}}};
  request.constraints = pipeline::Constraints::downloads();
  request.integers_as_text = false;
  request.context = "sync";
  return pipeline::query_rows(parts_.queries, permissions::server_rights(), std::move(request), limit);
}

void SyncJobs::fingerprint_table(DatabaseId database, TableId table) {
  struct Column { std::int64_t id; std::string base_type; std::optional<std::string> semantic_type, has_field_values; bool is_pk; };
  std::vector<Column> columns;
  parts_.store.read([&](appdb::Connection& c) {
    c.each("SELECT id, base_type, semantic_type, has_field_values, database_is_pk FROM data_field WHERE table_id = ? AND active = ? AND parent_id IS NULL AND visibility_type <> 'sensitive' "
           "AND fingerprint_version < ? AND coercion_strategy IS NULL ORDER BY position", {table, true, fingerprint_version}, [&](const appdb::Row& row) {
      auto type = row.text("base_type");
      if (can_be_counted(type)) columns.push_back({row.integer("id"), type, row.optional_text("semantic_type"), row.optional_text("has_field_values"), row.boolean("database_is_pk")});
    });
  });
  for (std::size_t from = 0; from < columns.size(); from += 25) {
    auto upto = std::min(columns.size(), from + 25);
    json::array inner_fields, aggregations;
    aggregations.push_back(json::array{"count"});
    for (std::size_t i = from; i < upto; ++i) {
      auto& column = columns[i];
      inner_fields.push_back(field_ref(column.id));
      auto ref = [&] { return json::value(field_ref(column.id)); };
      aggregations.push_back(clause("distinct", ref()));
      aggregations.push_back(clause("count", ref()));
      if (is_number_type(column.base_type)) {
        aggregations.push_back(clause("min", ref()));
        aggregations.push_back(clause("max", ref()));
        aggregations.push_back(clause("avg", ref()));
      } else if (is_temporal_type(column.base_type)) {
        aggregations.push_back(clause("min", ref()));
        aggregations.push_back(clause("max", ref()));
      } else if (is_text_type(column.base_type)) {
        aggregations.push_back(clause("avg", clause("length", ref())));
      }
    }
    json::object sample{{"source-table", table.value}, {"fields", std::move(inner_fields)}, {"limit", sample_rows}};
    auto rows = rows_of(database, {{"source-query", std::move(sample)}, {"aggregation", std::move(aggregations)}}, 1);
    if (rows.empty() || !rows[0].is_array()) continue;
    auto& values = rows[0].get_array();
    std::size_t at = 0;
    auto next = [&]() -> json::value { return at < values.size() ? values[at++] : json::value(nullptr); };
    auto total = json::as_integer(next()).value_or(0);
    auto now = parts_.clock.now();
    struct Result { Column column; json::object fingerprint; std::int64_t distinct; };
    std::vector<Result> results;
    for (std::size_t i = from; i < upto; ++i) {
      auto& column = columns[i];
      auto distinct = json::as_integer(next()).value_or(0), present = json::as_integer(next()).value_or(0);
      json::object global{{"distinct-count", distinct}, {"nil%", total > 0 ? json::value(static_cast<double>(total - present) / static_cast<double>(total)) : json::value(nullptr)}};
      json::object fingerprint{{"global", std::move(global)}};
      if (is_number_type(column.base_type)) {
        auto low = next(), high = next(), average = next();
        fingerprint["type"] = json::object{{"type/Number", json::object{{"min", low}, {"max", high}, {"avg", average}}}};
      } else if (is_temporal_type(column.base_type)) {
        auto low = next(), high = next();
        fingerprint["type"] = json::object{{"type/DateTime", json::object{{"earliest", low}, {"latest", high}}}};
      } else if (is_text_type(column.base_type)) {
        fingerprint["type"] = json::object{{"type/Text", json::object{{"average-length", next()}}}};
      }
      results.push_back({column, std::move(fingerprint), distinct});
    }
    parts_.store.write([&](appdb::Connection& c) {
      for (auto& result : results) {
        std::vector<appdb::Assignment> changes{{"fingerprint", result.fingerprint}, {"fingerprint_version", fingerprint_version}, {"last_analyzed", now}};
        bool few = result.distinct > 0 && result.distinct <= category_when_up_to && total > result.distinct;
        if (!result.column.semantic_type && few && is_text_type(result.column.base_type)) changes.emplace_back("semantic_type", "type/Category");
        bool list_like = (is_text_type(result.column.base_type) || result.column.base_type == "type/Boolean") && !result.column.is_pk && result.distinct > 0 &&
                         result.distinct <= static_cast<std::int64_t>(list_when_up_to);
        if (!result.column.has_field_values && list_like) changes.emplace_back("has_field_values", "auto-list");
        c.update("data_field", changes, "id", result.column.id);
      }
    });
  }
}

void SyncJobs::scan_values(DatabaseId database, TableId table) {
  std::vector<std::int64_t> fields;
  parts_.store.read([&](appdb::Connection& c) {
    c.each("SELECT id FROM data_field WHERE table_id = ? AND active = ? AND has_field_values IN ('list', 'auto-list') AND visibility_type <> 'sensitive' ORDER BY position", {table, true},
           [&](const appdb::Row& row) { fields.push_back(row.integer("id")); });
  });
  for (auto field : fields) {
    auto rows = rows_of(database, {{"source-table", table.value}, {"breakout", json::array{field_ref(field)}}, {"limit", listed_values_at_most + 1}}, listed_values_at_most + 1);
    json::array values;
    for (auto& row : rows) {
      if (row.is_array() && !row.get_array().empty() && !row.get_array()[0].is_null() && values.size() < listed_values_at_most) values.push_back(row.get_array()[0]);
    }
    bool more = rows.size() > listed_values_at_most;
    auto now = parts_.clock.now();
    parts_.store.write([&](appdb::Connection& c) {
      auto stored = c.query_one("SELECT id, values_json, human_readable_values FROM field_values WHERE field_id = ?", {field});
      if (!stored) {
        c.insert("field_values", {{"field_id", field}, {"values_json", values}, {"has_more_values", more}, {"kind", "full"}, {"created_at", now}, {"updated_at", now}});
        return;
      }
      // Labels that people gave to values follow their value.
      json::value labels = nullptr;
      auto old_values = stored->json("values_json"), old_labels = stored->json("human_readable_values");
      if (old_labels.is_array() && old_values.is_array() && !old_labels.get_array().empty()) {
        json::array kept;
        for (auto& value : values) {
          json::value label = value.is_string() ? value : json::value(json::write(value));
          for (std::size_t i = 0; i < std::min(old_values.get_array().size(), old_labels.get_array().size()); ++i)
            if (old_values.get_array()[i] == value) label = old_labels.get_array()[i];
          kept.push_back(std::move(label));
        }
        labels = std::move(kept);
      }
      std::vector<appdb::Assignment> changes{{"values_json", values}, {"has_more_values", more}, {"updated_at", now}};
      if (!labels.is_null()) changes.emplace_back("human_readable_values", labels);
      c.update("field_values", changes, "id", stored->integer("id"));
    });
  }
}

void SyncJobs::scan_table(TableId table) {
  auto row = parts_.store.read([&](appdb::Connection& c) { return c.query_one("SELECT database_id FROM data_table WHERE id = ?", {table}); });
  if (!row) throw not_found();
  scan_values(row->id<DatabaseId>("database_id"), table);
  parts_.cache.forget();
}

void SyncJobs::scan_field(FieldId field) {
  auto row = parts_.store.read([&](appdb::Connection& c) { return c.query_one("SELECT table_id FROM data_field WHERE id = ?", {field}); });
  if (!row) throw not_found();
  scan_table(row->id<TableId>("table_id"));
}

void SyncJobs::start_due() {
  auto now = parts_.clock.now();
  auto minute_of_day = std::chrono::duration_cast<std::chrono::minutes>(now - std::chrono::floor<std::chrono::days>(now)).count();
  struct Due { DatabaseId id; SyncDepth depth; };
  std::vector<Due> due;
  // "0 <minute> <hour or *> * * ? *"
  auto matches = [&](const std::string& cron) {
    int minute = -1, hour = -1;
    char hour_text[8] = {};
    if (std::sscanf(cron.c_str(), "%*d %d %7s", &minute, hour_text) != 2) return false;
    if (hour_text[0] != '*') hour = std::atoi(hour_text);
    return minute_of_day % 60 == minute && (hour < 0 || minute_of_day / 60 == hour);
  };
  parts_.store.read([&](appdb::Connection& c) {
    c.each("SELECT id, metadata_sync_schedule, cache_field_values_schedule, is_full_sync, is_on_demand FROM \"database\"", {}, [&](const appdb::Row& row) {
      bool schema = matches(row.text("metadata_sync_schedule"));
      bool values = matches(row.text("cache_field_values_schedule")) && row.boolean("is_full_sync") && !row.boolean("is_on_demand");
      if (values) due.push_back({row.id<DatabaseId>("id"), SyncDepth::Everything});
      else if (schema) due.push_back({row.id<DatabaseId>("id"), SyncDepth::SchemaOnly});
    });
  });
  for (auto& d : due) start(d.id, d.depth);
}

}  // namespace basalt::features
