// Compiled queries, kept for the next time the same question is asked. What is kept depends neither on who asks nor on when:
// rights are asked at each run against what the query uses, and a query that means "now" is compiled each time.
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "query/catalog.h"
#include "query/columns.h"
#include "query/uses.h"
#include "rows/batch.h"
#include "sql/dialect.h"
#include "sql/statement.h"

namespace basalt::pipeline {

struct QueryRequest;
struct Settings;

// How a result looks to clients: its columns, and the text behind its rows.
struct Shown {
  std::vector<rows::Column> found;           // of the driver, from which this was made
  std::vector<query::ResultColumn> columns;
  std::string data_end;                      // of the API's answer: from the end of the rows to the end of `data`, without its brace
};

struct CompiledQuery {
  query::Uses uses;
  std::string engine;
  const sql::Dialect* dialect = nullptr;
  sql::Statement statement;
  std::vector<query::ResultColumn> columns;  // empty when !columns_known
  bool columns_known = true;
  std::int64_t row_cap = 0;                  // 0: none
  std::string time_zone;                     // of the results; never empty
  bool integers_as_text = true;

  // As the last run showed it; nullptr: not run yet. Any thread.
  std::shared_ptr<const Shown> shown() const;
  void keep_shown(std::shared_ptr<const Shown> shown) const;

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Shown> shown_;  // GUARDED_BY(mutex_)
};

// Passes questions on to a catalogue and remembers what was asked.
class RecordingCatalog final : public query::Catalog {
 public:
  explicit RecordingCatalog(query::Catalog& inner) : inner_(inner) {}
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

  using Key = std::variant<DatabaseId, TableId>;
  const std::vector<Key>& asked() const { return asked_; }
  // Was everything answered by databases and tables? Cards, snippets and segments have no state to compare.
  bool comparable() const { return comparable_; }

 private:
  void note(Key key);
  query::Catalog& inner_;
  std::vector<Key> asked_;
  bool comparable_ = true;
};

// Any thread. The least recently used goes first when `most_bytes` (estimated) are exceeded.
class CompileCache {
 public:
  explicit CompileCache(std::size_t most_bytes = 8 << 20);
  // nullptr: not kept, or the catalogue now says another thing about something it was made from.
  std::shared_ptr<const CompiledQuery> find(const std::string& key, query::Catalog& catalog);
  // Keeps what was compiled through `recorded`, unless that says it cannot be compared.
  void keep(std::string key, std::shared_ptr<const CompiledQuery> compiled, const RecordingCatalog& recorded, query::Catalog& catalog);
  std::size_t bytes() const;

  static constexpr std::size_t longest_key = 64 << 10;  // longer queries are compiled each time

 private:
  struct Source { RecordingCatalog::Key key; std::weak_ptr<const void> state; };
  struct Entry {
    std::string key;
    std::shared_ptr<const CompiledQuery> compiled;
    std::shared_ptr<const std::vector<Source>> sources;
    std::size_t bytes;
  };
  void erase(std::list<Entry>::iterator entry);  // with mutex_ held

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;                                                       // GUARDED_BY(mutex_): the most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;        // GUARDED_BY(mutex_): views of the entries' keys
  std::size_t bytes_ = 0;                                                          // GUARDED_BY(mutex_)
};

// Everything that compiling depends on besides the catalogue and the clock, as text.
std::string compile_key(const QueryRequest& request, const Settings& settings);

}  // namespace basalt::pipeline
