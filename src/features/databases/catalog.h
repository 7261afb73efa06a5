// The query language's view of databases, tables and fields, read from the application database and kept in memory.
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "appdb/store.h"
#include "query/catalog.h"

namespace basalt::features {

// Shared by all queries. Bounded: at most `tables_at_most` tables with their fields. Forgotten when something changes here;
// on several nodes an entry lives five seconds at most. Any thread.
class MetadataCache {
 public:
  explicit MetadataCache(appdb::Store& store, std::size_t tables_at_most = 2000);

  struct TableEntry {
    query::Table table;
    std::vector<query::Field> fields;               // active, in order, sensitive ones too
    std::vector<const query::Field*> shown;         // without sensitive and retired
    const query::Field* primary_key = nullptr;
  };
  std::shared_ptr<const TableEntry> table(TableId id);
  std::shared_ptr<const TableEntry> table_of(FieldId id);
  std::shared_ptr<const query::Database> database(DatabaseId id);
  void forget();

  appdb::Store& store() { return store_; }

 private:
  template <class T> struct Kept { std::shared_ptr<const T> value; std::chrono::steady_clock::time_point read_at; };
  bool is_fresh(std::chrono::steady_clock::time_point read_at) const;
  std::shared_ptr<const TableEntry> load(appdb::Connection& connection, TableId id);

  appdb::Store& store_;
  const std::size_t tables_at_most_;
  std::mutex mutex_;
  std::unordered_map<TableId, Kept<TableEntry>> tables_;             // GUARDED_BY(mutex_)
  std::unordered_map<FieldId, TableId> table_of_field_;              // GUARDED_BY(mutex_)
  std::unordered_map<DatabaseId, Kept<query::Database>> databases_;  // GUARDED_BY(mutex_)
  std::uint64_t generation_ = 0;                                     // GUARDED_BY(mutex_)
};

// One query's snapshot: what it has read stays as it was until the query is done.
class StoreCatalog final : public query::Catalog {
 public:
  explicit StoreCatalog(MetadataCache& cache) : cache_(cache) {}
  const query::Database* database(DatabaseId id) override;
  const query::Table* table(TableId id) override;
  const query::Table* table_named(DatabaseId database, const std::string& schema, const std::string& name) override;
  const query::Field* field(FieldId id) override;
  std::vector<const query::Field*> fields_of(TableId id) override;
  const query::Field* primary_key(TableId id) override;
  const query::SourceCard* card(CardId id) override;
  std::optional<std::string> snippet(std::string_view name) override;
  json::value segment(std::int64_t id) override;
  json::value measure(std::int64_t id) override;
  std::shared_ptr<const void> state_of(DatabaseId id) override;
  std::shared_ptr<const void> state_of(TableId id) override;

 private:
  const MetadataCache::TableEntry* entry(TableId id);
  json::value definition(const char* table, std::int64_t id);
  MetadataCache& cache_;
  std::unordered_map<TableId, std::shared_ptr<const MetadataCache::TableEntry>> tables_;
  std::unordered_map<FieldId, const query::Field*> fields_;
  std::unordered_map<DatabaseId, std::shared_ptr<const query::Database>> databases_;
  std::unordered_map<CardId, std::unique_ptr<query::SourceCard>> cards_;
};

}  // namespace basalt::features
