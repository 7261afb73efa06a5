// A catalogue from a JSON document, for tests and fuzzing. The document is that of tests/datasets/*/schema.json:
//   {"database": {"id", "name", "engine"}, "tables": [{"id", "name", "fields": [{"id", "name", "base_type", …}]}], "cards": [...],
//    "snippets": {name: sql}, "segments": {id: definition}, "measures": {id: definition}}
#pragma once
#include <algorithm>
#include <map>

#include "query/catalog.h"

namespace basalt::query {

class JsonCatalog final : public Catalog {
 public:
  explicit JsonCatalog(const json::value& document) {
    auto text = [](const json::value& v, std::string_view key, std::string fallback = "") { return json::text(v, key).value_or(fallback); };
    auto& database = document.at("database");
    database_ = {DatabaseId(json::integer(database, "id").value_or(1)), text(database, "name"), text(database, "engine"), json::text(database, "time_zone")};
    if (auto* tables = json::sub_array(document, "tables")) {
      for (auto& t : *tables) {
        Table table{TableId(*json::integer(t, "id")), database_.id, json::text(t, "schema"), text(t, "name"), text(t, "display_name", text(t, "name")), true};
        int position = 0;
        for (auto& f : *json::sub_array(t, "fields")) {
          Field field;
          field.id = FieldId(*json::integer(f, "id"));
          field.table = table.id;
          field.name = text(f, "name");
          field.display_name = text(f, "display_name", field.name);
          field.database_type = text(f, "database_type");
          field.base_type = text(f, "base_type", "type/*");
          field.effective_type = text(f, "effective_type", field.base_type);
          field.semantic_type = json::text(f, "semantic_type");
          field.coercion_strategy = json::text(f, "coercion_strategy");
          if (auto target = json::integer(f, "fk_target")) field.fk_target = FieldId(*target);
          if (auto shown = json::integer(f, "remap_to_field")) field.remap_to_field = FieldId(*shown);
          if (auto* labels = json::sub_array(f, "remap_values"))
            for (auto& pair : *labels) field.remap_values.emplace_back(pair.at(0), std::string(pair.at(1).get_string()));
          field.visibility_type = text(f, "visibility_type", "normal");
          if (auto* fingerprint = json::find(f, "fingerprint")) field.fingerprint = *fingerprint;
          field.position = position++;
          fields_.emplace(field.id, field);
        }
        tables_.emplace(table.id, table);
      }
    }
    if (auto* cards = json::sub_array(document, "cards")) {
      for (auto& c : *cards) {
        SourceCard card{CardId(*json::integer(c, "id")), database_.id, text(c, "name"), text(c, "kind", "question"), c.at("dataset_query")};
        if (auto* metadata = json::find(c, "result_metadata")) card.result_metadata = *metadata;
        cards_.emplace(card.id, card);
      }
    }
    if (auto* snippets = json::sub_object(document, "snippets"))
      for (auto& entry : *snippets) snippets_.emplace(std::string(entry.key()), std::string(entry.value().get_string()));
    if (auto* segments = json::sub_object(document, "segments"))
      for (auto& entry : *segments) segments_.emplace(std::stoll(std::string(entry.key())), entry.value());
    if (auto* measures = json::sub_object(document, "measures"))
      for (auto& entry : *measures) measures_.emplace(std::stoll(std::string(entry.key())), entry.value());
  }

  Database* own_database() { return &database_; }
  std::map<FieldId, Field>& fields() { return fields_; }
  std::map<TableId, Table>& tables() { return tables_; }

  const Database* database(DatabaseId id) override { return id == database_.id ? &database_ : nullptr; }
  const Table* table(TableId id) override { return find(tables_, id); }
  const Table* table_named(DatabaseId database, const std::string& schema, const std::string& name) override {
    for (auto& [_, table] : tables_)
      if (table.database == database && table.name == name && (schema.empty() || table.schema == schema)) return &table;
    return nullptr;
  }
  const Field* field(FieldId id) override { return find(fields_, id); }
  std::vector<const Field*> fields_of(TableId id) override {
    std::vector<const Field*> result;
    for (auto& [_, field] : fields_)
      if (field.table == id && field.visibility_type != "sensitive") result.push_back(&field);
    std::sort(result.begin(), result.end(), [](auto* a, auto* b) { return a->position < b->position; });
    return result;
  }
  const Field* primary_key(TableId id) override {
    for (auto& [_, field] : fields_)
      if (field.table == id && field.semantic_type == "type/PK") return &field;
    return nullptr;
  }
  const SourceCard* card(CardId id) override { return find(cards_, id); }
  std::optional<std::string> snippet(std::string_view name) override {
    auto found = snippets_.find(std::string(name));
    return found == snippets_.end() ? std::nullopt : std::optional(found->second);
  }
  json::value segment(std::int64_t id) override { return saved(segments_, id, "Segment "); }
  json::value measure(std::int64_t id) override { return saved(measures_, id, "Measure "); }

 private:
  template <class Map, class Key> static const typename Map::mapped_type* find(const Map& map, const Key& key) {
    auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
  }

  Database database_;
  std::map<TableId, Table> tables_;
  std::map<FieldId, Field> fields_;
  std::map<CardId, SourceCard> cards_;
  std::map<std::string, std::string> snippets_;
  static json::value saved(const std::map<std::int64_t, json::value>& from, std::int64_t id, const char* word) {
    auto found = from.find(id);
    if (found == from.end()) return nullptr;
    return json::object{{"name", word + std::to_string(id)}, {"definition", found->second}};
  }
  std::map<std::int64_t, json::value> segments_, measures_;
};

}  // namespace basalt::query
