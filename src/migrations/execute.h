// Runs operations on a store, in both directions. What the older structure cannot hold is parked, what was parked returns.
#pragma once
#include <functional>

#include "migrations/operations.h"
#include "migrations/reshape.h"

namespace basalt::migrations {

struct Counters {
  std::int64_t parked = 0;      // values kept that cannot be shown
  std::int64_t returned = 0;    // parked values given back
  std::int64_t superseded = 0;  // parked values overruled by an edit made meanwhile; they stay listed
  std::int64_t orphaned = 0;    // parked values whose row is gone; they stay listed
};

// Works on one connection, inside a transaction that the caller opened; SQLite with foreign_keys off. `structure` follows
// every step. Parking needs table upgrade_park, so nothing parks before schema 1 is there.
class Executor {
 public:
  Executor(appdb::Connection& connection, Structure& structure, int migration, std::int64_t run, std::string now);

  // `number`: the operation's place in its migration, from 0. Up: `operation` must be prepared. `tick` is called between
  // batches; it may throw to stop.
  void run(const Operation& operation, int number, Direction direction);
  void on_tick(std::function<void()> tick) { tick_ = std::move(tick); }
  // PostgreSQL: leaves to postwork() what would hold up others within this transaction: proving that old rows keep a new
  // rule, and indexes of new columns. Until then these rules hold for new rows only. See prework.h.
  void leave_slow_work(bool leave = true) { leave_slow_work_ = leave && !sqlite(); }
  const Counters& counters() const { return counters_; }

 private:
  void create(const CreateTable&, Direction);
  void drop(const DropTable&, Direction);
  void add_column(const AddColumn&, Direction);
  void drop_column(const DropColumn&, Direction);
  void rename_table(const RenameTable&, Direction);
  void rename_column(const RenameColumn&, Direction);
  void change(const ChangeColumn&, Direction);
  void unique(const std::string& table, const Unique&, const Duplicates&, bool add, Direction);
  void reshape(const ReshapeJson&, Direction);
  void insert_rows(const InsertRows&, Direction);

  // Structure work
  void make_table(const Table&);
  void hold_table(const Table&);
  void unhold_table(const Table&);
  void rebuild(const Table& before, const Table& after);  // SQLite only: what ALTER TABLE cannot do
  void create_indexes(const Table& table, const Table& already);
  void create_index(const Table&, const Index&);
  void drop_column_in_place(const Table& before, const Column&);
  void add_column_in_place(const Table&, const Column&);
  bool edit_column(const Table& before, const Column& from, const Table& after, const Column& to);
  void alter_column(const std::string& table, const Column& from, const Column& to);

  // Parking
  struct Park { std::string row_uid; json::value value, shown; std::string state; };
  void park(const std::string& table, const std::string& column, Direction, std::vector<Park> parks);
  struct Parked { std::int64_t id = 0; std::string row_uid; json::value value, shown; bool present = false; json::value current; };
  enum class Fate { Returned, Superseded, Orphan };
  // Visits what the opposite direction parked for this operation; `column` may be empty (whole rows).
  void unpark(const Table& table, const std::string& column, Direction, const std::function<Fate(const Parked&)>& visit, const std::function<void()>& after_batch = {});
  void insert_row(const Table&, const json::object& row);
  void insert_whole_rows(const Table&, const std::vector<json::object>& rows);
  json::object row_json(const Table&, const appdb::Row&) const;
  // Visits rows in batches of bounded size, row_uid included; `batch` may change the rows, but not their ids.
  void scan(const Table& table, const std::vector<std::string>& columns, const std::string& where, const std::function<void(const std::vector<appdb::Row>&)>& batch);
  void log_hold(const std::string& kind, const std::string& table, const std::string& column, std::int64_t rows);

  bool sqlite() const { return connection_.engine() == appdb::Engine::Sqlite; }

  appdb::Connection& connection_;
  Structure& structure_;
  int migration_;
  std::int64_t run_;
  std::string now_;
  int number_ = 0;
  std::function<void()> tick_;
  Counters counters_;
  bool leave_slow_work_ = false;
};

// Whether the operation's effect is there; absent when only the ledger can tell (documents, rows).
std::optional<bool> probe(appdb::Connection&, const Operation&, int migration, int number);
// How many values undoing the operation would park: counted, not guessed. Documents: how many rows would be looked at.
std::int64_t would_park(appdb::Connection&, const Operation&);

bool table_exists(appdb::Connection&, std::string_view table);
bool column_exists(appdb::Connection&, std::string_view table, std::string_view column);
bool index_exists(appdb::Connection&, std::string_view index);

// A stored value as JSON and back. What JSON cannot say becomes an object of one key: blobs {"base64": …}, text that is no
// UTF-8 {"text64": …}, {"real": "inf" | "-inf" | "nan"}.
json::value value_json(const appdb::Value&);
appdb::Parameter parameter_of(const json::value&);

}  // namespace basalt::migrations
