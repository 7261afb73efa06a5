// What the query language needs to know about databases, tables, fields and saved cards. `features/databases` is that
// catalogue; tests bring their own.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/json.h"

namespace basalt::query {

struct Field {
  FieldId id;
  TableId table;
  std::string name, display_name, database_type;
  std::string base_type, effective_type;                 // "type/Integer", …; effective_type equals base_type without coercion
  std::optional<std::string> semantic_type, coercion_strategy, description;
  std::optional<FieldId> fk_target;
  std::string visibility_type = "normal";
  bool active = true;
  int position = 0;
  json::value fingerprint = nullptr, settings = nullptr;
  // Display value: the field of the target table shown instead of this key (external), or labels by value (internal).
  std::optional<FieldId> remap_to_field;
  std::vector<std::pair<json::value, std::string>> remap_values;
};

struct Table {
  TableId id;
  DatabaseId database;
  std::optional<std::string> schema;
  std::string name, display_name;
  bool active = true;
};

struct Database {
  DatabaseId id;
  std::string name, engine;
  std::optional<std::string> time_zone;
};

struct SourceCard {
  CardId id;
  DatabaseId database;
  std::string name, kind;               // question | model | metric
  json::value dataset_query, result_metadata = nullptr;
  std::optional<CollectionId> collection;
};

// Lives as long as one query's work and sees one snapshot; called by one thread. nullptr: no such thing.
class Catalog {
 public:
  virtual ~Catalog() = default;
  virtual const Database* database(DatabaseId id) = 0;
  virtual const Table* table(TableId id) = 0;
  // By name, for SQL that names a table in a variable; `schema` empty: the only one of that name.
  virtual const Table* table_named([[maybe_unused]] DatabaseId database, [[maybe_unused]] const std::string& schema, [[maybe_unused]] const std::string& name) { return nullptr; }
  virtual const Field* field(FieldId id) = 0;
  // Active fields of the table in their order, without sensitive and retired ones.
  virtual std::vector<const Field*> fields_of(TableId id) = 0;
  virtual const Field* primary_key(TableId id) = 0;
  virtual const SourceCard* card(CardId id) = 0;
  // Content of a saved SQL snippet by name.
  virtual std::optional<std::string> snippet(std::string_view name) = 0;
  // Saved filter, and saved aggregation, of a table: {"name", "definition": {"source-table": …, "filter": …} or a whole query};
  // null: no such thing.
  virtual json::value segment([[maybe_unused]] std::int64_t id) { return nullptr; }
  virtual json::value measure([[maybe_unused]] std::int64_t id) { return nullptr; }

  // What is known of a database, or of a table with its fields, as an opaque value: as long as it is the same one, so is every
  // answer above about it. nullptr: nobody can tell, so nothing that was made from those answers may be kept.
  virtual std::shared_ptr<const void> state_of([[maybe_unused]] DatabaseId id) { return nullptr; }
  virtual std::shared_ptr<const void> state_of([[maybe_unused]] TableId id) { return nullptr; }
};

}  // namespace basalt::query
