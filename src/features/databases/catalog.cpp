#include "features/databases/catalog.h"

#include "features/databases/metadata_json.h"

namespace basalt::features {

MetadataCache::MetadataCache(appdb::Store& store, std::size_t tables_at_most) : store_(store), tables_at_most_(tables_at_most) {}

bool MetadataCache::is_fresh(std::chrono::steady_clock::time_point read_at) const {
  // With SQLite this process is the only writer, and it forgets what it changes.
  return store_.engine() == appdb::Engine::Sqlite || std::chrono::steady_clock::now() - read_at < std::chrono::seconds(5);
}

void MetadataCache::forget() {
  std::lock_guard lock(mutex_);
  tables_.clear();
  table_of_field_.clear();
  databases_.clear();
  ++generation_;
}

std::shared_ptr<const MetadataCache::TableEntry> MetadataCache::load(appdb::Connection& connection, TableId id) {
  auto row = connection.query_one("SELECT " + table_columns() + " FROM data_table WHERE id = ?", {id});
  if (!row) return nullptr;
  auto entry = std::make_shared<TableEntry>();
  entry->table = {id, row->id<DatabaseId>("database_id"), row->optional_text("schema_name"), row->text("name"), row->text("display_name"), row->boolean("active")};
  std::map<std::int64_t, std::size_t> by_id;
  connection.each("SELECT " + field_columns() + " FROM data_field WHERE table_id = ? AND active = ? ORDER BY position, name, id", {id, true}, [&](const appdb::Row& f) {
    query::Field field;
    field.id = f.id<FieldId>("id");
    field.table = id;
    field.name = f.text("name");
    field.display_name = f.text("display_name");
    field.database_type = f.text("database_type");
    field.base_type = f.text("base_type");
    field.effective_type = f.optional_text("effective_type").value_or(field.base_type);
    field.semantic_type = f.optional_text("semantic_type");
    field.coercion_strategy = f.optional_text("coercion_strategy");
    field.description = f.optional_text("description");
    field.fk_target = f.optional_id<FieldId>("fk_target_field_id");
    field.visibility_type = f.text("visibility_type");
    field.active = true;
    field.position = static_cast<int>(f.integer("position"));
    field.fingerprint = f.json("fingerprint");
    field.settings = f.json("settings");
    by_id[field.id.value] = entry->fields.size();
    entry->fields.push_back(std::move(field));
  });
  connection.each("SELECT d.field_id, d.kind, d.human_readable_field_id, v.values_json, v.human_readable_values FROM field_dimension d JOIN data_field f ON f.id = d.field_id "
                  "LEFT JOIN field_values v ON v.field_id = d.field_id WHERE f.table_id = ?", {id}, [&](const appdb::Row& d) {
    auto found = by_id.find(d.integer("field_id"));
    if (found == by_id.end()) return;
    auto& field = entry->fields[found->second];
    if (d.text("kind") == "external") { field.remap_to_field = d.optional_id<FieldId>("human_readable_field_id"); return; }
    auto values = d.json("values_json"), labels = d.json("human_readable_values");
    if (!values.is_array() || !labels.is_array()) return;
    for (std::size_t i = 0; i < std::min(values.get_array().size(), labels.get_array().size()); ++i) {
      auto& label = labels.get_array()[i];
      if (label.is_string()) field.remap_values.emplace_back(values.get_array()[i], std::string(label.get_string()));
    }
  });
  for (auto& field : entry->fields) {
    if (field.visibility_type != "sensitive" && field.visibility_type != "retired") entry->shown.push_back(&field);
    if (!entry->primary_key && field.semantic_type == "type/PK") entry->primary_key = &field;
  }
  return entry;
}

std::shared_ptr<const MetadataCache::TableEntry> MetadataCache::table(TableId id) {
  std::uint64_t generation;
  {
    std::lock_guard lock(mutex_);
    auto found = tables_.find(id);
    if (found != tables_.end() && is_fresh(found->second.read_at)) return found->second.value;
    generation = generation_;
  }
  auto entry = store_.read([&](appdb::Connection& connection) { return load(connection, id); });
  std::lock_guard lock(mutex_);
  if (entry && generation == generation_) {
    if (tables_.size() >= tables_at_most_) { tables_.clear(); table_of_field_.clear(); }
    tables_[id] = {entry, std::chrono::steady_clock::now()};
    for (auto& field : entry->fields) table_of_field_[field.id] = id;
  }
  return entry;
}

std::shared_ptr<const MetadataCache::TableEntry> MetadataCache::table_of(FieldId id) {
  {
    std::lock_guard lock(mutex_);
    auto found = table_of_field_.find(id);
    if (found != table_of_field_.end()) {
      auto table = tables_.find(found->second);
      if (table != tables_.end() && is_fresh(table->second.read_at)) return table->second.value;
    }
  }
  auto row = store_.read([&](appdb::Connection& connection) { return connection.query_one("SELECT table_id FROM data_field WHERE id = ?", {id}); });
  return row ? table(row->id<TableId>("table_id")) : nullptr;
}

std::shared_ptr<const query::Database> MetadataCache::database(DatabaseId id) {
  std::uint64_t generation;
  {
    std::lock_guard lock(mutex_);
    auto found = databases_.find(id);
    if (found != databases_.end() && is_fresh(found->second.read_at)) return found->second.value;
    generation = generation_;
  }
  auto row = store_.read([&](appdb::Connection& connection) { return connection.query_one("SELECT id, name, engine, timezone FROM \"database\" WHERE id = ?", {id}); });
  if (!row) return nullptr;
  auto database = std::make_shared<query::Database>(query::Database{id, row->text("name"), row->text("engine"), row->optional_text("timezone")});
  std::lock_guard lock(mutex_);
  if (generation == generation_) databases_[id] = {database, std::chrono::steady_clock::now()};
  return database;
}

const MetadataCache::TableEntry* StoreCatalog::entry(TableId id) {
  auto found = tables_.find(id);
  if (found == tables_.end()) found = tables_.emplace(id, cache_.table(id)).first;
  return found->second.get();
}

const query::Database* StoreCatalog::database(DatabaseId id) {
  auto found = databases_.find(id);
  if (found == databases_.end()) found = databases_.emplace(id, cache_.database(id)).first;
  return found->second.get();
}

const query::Table* StoreCatalog::table(TableId id) {
  auto* found = entry(id);
  return found ? &found->table : nullptr;
}

const query::Table* StoreCatalog::table_named(DatabaseId database, const std::string& schema, const std::string& name) {
  auto rows = cache_.store().read([&](appdb::Connection& connection) {
    return connection.query("SELECT id FROM data_table WHERE database_id = ? AND name = ? AND (? = '' OR schema_name = ?) AND active = ? ORDER BY id LIMIT 2", {database, name, schema, schema, true});
  });
  return rows.size() == 1 ? table(rows[0].id<TableId>("id")) : nullptr;
}

const query::Field* StoreCatalog::field(FieldId id) {
  auto known = fields_.find(id);
  if (known != fields_.end()) return known->second;
  const query::Field* field = nullptr;
  if (auto table = cache_.table_of(id)) {
    // The first entry read for a table stays the one of this query.
    auto& kept = tables_.emplace(table->table.id, table).first->second;
    for (auto& candidate : kept->fields) if (candidate.id == id) field = &candidate;
  }
  fields_[id] = field;
  return field;
}

std::vector<const query::Field*> StoreCatalog::fields_of(TableId id) {
  auto* found = entry(id);
  return found ? found->shown : std::vector<const query::Field*>();
}

const query::Field* StoreCatalog::primary_key(TableId id) {
  auto* found = entry(id);
  return found ? found->primary_key : nullptr;
}

// What is read anew is a new object.
std::shared_ptr<const void> StoreCatalog::state_of(DatabaseId id) { return database(id) ? databases_[id] : nullptr; }
std::shared_ptr<const void> StoreCatalog::state_of(TableId id) { return entry(id) ? tables_[id] : nullptr; }

const query::SourceCard* StoreCatalog::card(CardId id) {
  auto found = cards_.find(id);
  if (found != cards_.end()) return found->second.get();
  auto row = cache_.store().read([&](appdb::Connection& connection) {
    return connection.query_one("SELECT id, database_id, name, kind, dataset_query, result_metadata, collection_id FROM card WHERE id = ?", {id});
  });
  std::unique_ptr<query::SourceCard> card;
  if (row) {
    card = std::make_unique<query::SourceCard>(query::SourceCard{id, row->id<DatabaseId>("database_id"), row->text("name"), row->text("kind"), row->json("dataset_query"),
                                                                 row->json("result_metadata"), row->optional_id<CollectionId>("collection_id")});
  }
  return cards_.emplace(id, std::move(card)).first->second.get();
}

std::optional<std::string> StoreCatalog::snippet(std::string_view name) {
  auto row = cache_.store().read([&](appdb::Connection& connection) { return connection.query_one("SELECT content FROM snippet WHERE name = ? AND archived = ?", {name, false}); });
  return row ? std::optional(row->text("content")) : std::nullopt;
}

// Archived ones too: what was asked with them goes on.
json::value StoreCatalog::definition(const char* table, std::int64_t id) {
  auto row = cache_.store().read([&](appdb::Connection& connection) { return connection.query_one("SELECT name, table_id, definition FROM " + appdb::quoted(table) + " WHERE id = ?", {id}); });
  if (!row) return nullptr;
  auto out = row->json("definition");
  auto* inner = out.if_object();
  if (!inner) return nullptr;
  if (!inner->contains("stages") && !inner->contains("query") && !inner->contains("source-table")) (*inner)["source-table"] = row->integer("table_id");
  return json::object{{"name", row->text("name")}, {"definition", std::move(out)}};
}
json::value StoreCatalog::segment(std::int64_t id) { return definition("segment", id); }
json::value StoreCatalog::measure(std::int64_t id) { return definition("measure", id); }

}  // namespace basalt::features
