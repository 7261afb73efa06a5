#include "upgrade/rehearse.h"

#include "appdb/postgres_connection.h"
#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::SqliteConnection;
using migrations::Structure;
using migrations::Table;

namespace {

bool bookkeeping(std::string_view table) { return table.starts_with("upgrade_") || table.starts_with("hold_"); }

[[noreturn]] void complain(const std::string& what) {
  throw Failure(FailureKind::Bug, "The change failed its verification: " + what + ". The data was left as it was.").with_error_type("verification-failed");
}

std::int64_t row_count(Connection& c, const std::string& table) { return c.count("SELECT count(*) FROM " + appdb::quoted(table)); }

std::int64_t broken_references(Connection& c, const std::string& table = {}) {
  std::int64_t broken = 0;
  c.each("PRAGMA foreign_key_check" + (table.empty() ? "" : "(" + appdb::quoted(table) + ")"), {}, [&](const appdb::Row&) { ++broken; });
  return broken;
}

// Runs the way on a copy and notes what comes out; everything that the way must not do is checked afterwards.
class Rehearsal {
 public:
  Rehearsal(Attempt& attempt, Connection& c, const MadeBackup& made, const Job& job, const std::set<std::string>& filled)
      : attempt_(attempt), c_(c), made_(made), job_(job), filled_(filled), ledger_(read_ledger(c)) {
    if (ledger_.schema != job.before.schema || ledger_.pending != job.before.pending) complain("the backup is not of the schema that is to be changed");
    ledger_.expanded_at = job.before.expanded_at;
  }

  Expectation run() {
    auto touched = touched_by(job_.way);
    auto before = ledger_.structure;
    std::map<std::string, Fingerprint> rows;
    for (auto& t : before.tables)
      if (!bookkeeping(t.name) && touched.tables.contains(t.name) && !touched.rows.contains(t.name)) rows[t.name] = row_fingerprint(c_, t);

    StepContext step{c_, ledger_};
    Pace pace{.state = "rehearsing", .from = 0.38, .to = 0.44, .prefix = "rehearse: "};
    std::size_t number = 0;
    run_way(attempt_, step, job_.way, [&](const std::function<void()>& work) {
      auto& unit = job_.way.units[number++];
      auto tables = comparable(unit);
      std::map<std::string, Result> results;
      for (auto& name : tables) results[name].before = fingerprint(c_, *ledger_.structure.table(name));
      auto start = std::chrono::steady_clock::now();
      work();
      expectation_.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      for (auto& name : tables) {
        if (auto* t = ledger_.structure.table(name)) results[name].after = fingerprint(c_, *t);
        else results.erase(name);
      }
      expectation_.results.push_back(std::move(results));
    }, pace);

    for (auto& t : ledger_.structure.tables) {
      if (bookkeeping(t.name) || !t.in_backup || (!filled_.empty() && !filled_.contains(t.name))) continue;
      if (!touched.tables.contains(t.name)) {
        auto* entry = made_.manifest.table(t.name);
        if (!entry) complain("there is an unexpected table " + t.name);
        if (fingerprint(c_, t) != entry->fingerprint) complain("rows differ in table " + t.name + ", which no migration touches");
      } else if (auto was = rows.find(t.name); was != rows.end() && row_fingerprint(c_, t) != was->second) {
        complain("rows of table " + t.name + " are missing or new");
      }
    }
    return std::move(expectation_);
  }

 private:
  // Tables that keep their name and their rows in this unit, and whose content is decided by what was there before.
  std::vector<std::string> comparable(const Unit& unit) const {
    auto touched = touched_by(unit);
    std::vector<std::string> out;
    for (auto& name : touched.tables) {
      auto* t = ledger_.structure.table(name);
      if (t && t->in_backup && !bookkeeping(name) && !touched.by_chance.contains(name) && !touched.rows.contains(name)) out.push_back(name);
    }
    return out;
  }

  Attempt& attempt_;
  Connection& c_;
  const MadeBackup& made_;
  const Job& job_;
  const std::set<std::string>& filled_;
  Ledger ledger_;
  Expectation expectation_;
};

Expectation rehearse_in_file(Attempt& attempt, const MadeBackup& made, const Job& job) {
  SqliteConnection c(made.restored->path(), {.foreign_keys = false, .write_ahead_log = false});
  c.execute_script("PRAGMA synchronous=OFF");  // it is thrown away
  auto broken = broken_references(c);
  c.execute("BEGIN IMMEDIATE");
  auto out = Rehearsal(attempt, c, made, job, {}).run();
  c.execute("COMMIT");
  if (broken_references(c) > broken) complain("references would be left to rows that are not there");
  auto check = c.query_one("PRAGMA quick_check");
  if (!check || check->text("quick_check") != "ok") throw Failure(FailureKind::Unavailable, "The copy on which the change was rehearsed is damaged; check the disk. The data itself was not changed.");
  return out;
}

// Everything that the touched tables refer to, so that what is looked up there is found.
std::set<std::string> filled_tables(const Job& job) {
  auto touched = touched_by(job.way);
  std::vector<std::string> open(touched.tables.begin(), touched.tables.end());
  std::set<std::string> out;
  while (!open.empty()) {
    auto name = open.back();
    open.pop_back();
    auto* t = job.before.structure.table(name);
    if (!t || !out.insert(name).second) continue;
    for (auto& c : t->columns) if (!c.target.empty()) open.push_back(c.target);
  }
  for (auto& t : job.before.structure.tables) if (bookkeeping(t.name) && t.in_backup) out.insert(t.name);
  return out;
}

Expectation rehearse_in_schema(Context& context, Attempt& attempt, const MadeBackup& made, const Job& job) {
  auto connection = context.store.connect();
  auto& c = static_cast<appdb::PostgresConnection&>(*connection);
  // All of it is one transaction that never commits: a crash leaves nothing to clear away.
  auto schema = appdb::quoted(context.store.options().postgres_schema + "_rehearsal_" + random_hex(4));
  c.execute_script("BEGIN");
  try {
    c.execute_script("CREATE SCHEMA " + schema + "; SET LOCAL search_path TO " + schema);
  } catch (const Failure&) {
    if (c.last_error_code() != "42501") throw;
    c.execute_script("ROLLBACK");
    return rehearse_in_file(attempt, made, job);
  }
  auto filled = filled_tables(job);
  Expectation out;
  try {
    SqliteConnection restored(made.restored->path(), {.foreign_keys = false, .write_ahead_log = false});
    load_backup(restored, made.manifest, c, 0, [&](double part) { attempt.at("rehearsing", 0.35 + 0.03 * part, "rehearse: load the backup"); }, [&](const Table& t) { return filled.contains(t.name); });
    out = Rehearsal(attempt, c, made, job, filled).run();
  } catch (...) {
    try {
      if (c.is_alive()) c.execute_script("ROLLBACK");
    } catch (...) {
      // The first failure is the one that counts.
    }
    throw;
  }
  c.execute_script("ROLLBACK");
  return out;
}

}  // namespace

double Expectation::total() const {
  double out = 0;
  for (double s : seconds) out += s;
  return out;
}

Touched touched_by(const Unit& unit) {
  Way only;
  only.units.push_back(unit);
  return touched_by(only);
}

Expectation rehearse(Context& context, Attempt& attempt, const MadeBackup& made, const Job& job) {
  attempt.at("rehearsing", 0.35, "rehearse", 0, static_cast<int>(job.way.units.size()));
  auto out = context.store.engine() == Engine::Sqlite ? rehearse_in_file(attempt, made, job) : rehearse_in_schema(context, attempt, made, job);
  attempt.edge("rehearsed");
  log::info("the change was rehearsed on the backup", {{"seconds", std::to_string(out.total())}});
  return out;
}

std::map<std::string, UnitCheck::Done> UnitCheck::done(Connection& c) {
  std::map<std::string, Done> out;
  // Empty when the server does not count.
  if (c.engine() == Engine::Sqlite || c.count("SELECT count(*) WHERE current_setting('track_counts') = 'on'") == 0) return out;
  c.each("SELECT relname::text AS name, coalesce(pg_relation_filenode(oid), 0)::bigint AS file, xmin::text::bigint = (txid_current() & 4294967295) AS by_us, pg_stat_get_xact_tuples_inserted(oid) AS made, pg_stat_get_xact_tuples_updated(oid) AS changed, "
         "pg_stat_get_xact_tuples_deleted(oid) AS gone, reltuples::bigint AS tuples FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
         {}, [&](const appdb::Row& row) { out[row.text("name")] = {row.integer("file"), row.boolean("by_us"), row.integer("made"), row.integer("changed"), row.integer("gone"), row.integer("tuples")}; });
  return out;
}

std::set<std::string> UnitCheck::held(Connection& c, const Ledger& ledger, const Unit& unit) {
  auto touched = touched_by(unit);
  auto& candidates = done(c).empty() ? touched.tables : touched.contents;
  std::set<std::string> out;
  for (auto& name : candidates) if (ledger.structure.table(name)) out.insert(name);
  return out;
}

UnitCheck::UnitCheck(Connection& c, const Ledger& ledger, const Unit& unit, const std::map<std::string, Result>& expected)
    : connection_(c), expected_(expected), touched_(touched_by(unit)), done_(done(c)) {
  for (auto& t : ledger.structure.tables) {
    if (bookkeeping(t.name) || !touched_.tables.contains(t.name) || touched_.rows.contains(t.name)) continue;
    if (!done_.empty() && !touched_.contents.contains(t.name)) {
      uncounted_ += std::max<std::int64_t>(0, done_[t.name].rows);
      continue;
    }
    auto rows = rows_[t.name] = row_count(c, t.name);
    if (rows <= live_rows && expected.contains(t.name)) before_[t.name] = fingerprint(c, t);
  }
}

std::int64_t UnitCheck::rows() const {
  std::int64_t out = uncounted_;
  for (auto& [name, rows] : rows_) out += rows;
  return out;
}

void UnitCheck::require_expected(const Ledger& after, std::int64_t returned) const {
  for (auto& [name, rows] : rows_) {
    auto* t = after.structure.table(name);
    if (!t) continue;
    if (row_count(connection_, name) != rows) complain("rows of table " + name + " are missing or new");
    auto before = before_.find(name);
    auto& expected = before == before_.end() ? Result{} : expected_.at(name);
    if (before != before_.end() && before->second == expected.before && fingerprint(connection_, *t) != expected.after)
      complain("table " + name + " came out otherwise than in the rehearsal");
  }
  if (done_.empty()) return;
  auto now = done(connection_);
  std::int64_t changed = 0;  // in tables where only what was parked comes back
  for (auto& [name, was] : done_) {
    if (bookkeeping(name) || name.starts_with("backfill_") || touched_.rows.contains(name)) continue;
    auto found = now.find(name);
    bool touched = touched_.tables.contains(name);
    if (found == now.end()) complain("table " + name + " is gone");
    auto& is = found->second;
    if (is.made != was.made || is.gone != was.gone) complain("rows of table " + name + " are missing or new");
    if (!touched && (is.changed != was.changed || (is.by_us && is.file != was.file))) complain("rows differ in table " + name + ", which no migration touches");
    if (touched && !touched_.contents.contains(name)) changed += is.changed - was.changed;
    if (changed > returned) complain("rows of table " + name + " were changed, which the migration leaves as they are");
  }
}

void leaving_others_alone(SqliteConnection& c, const Ledger& ledger, const Unit& unit, const std::function<void()>& work) {
  struct Protected {
    SqliteConnection& connection;
    Protected(SqliteConnection& of, std::set<std::string, std::less<>> tables) : connection(of) { connection.protect(std::move(tables)); }
    ~Protected() { connection.protect({}); }
  };
  auto touched = touched_by(unit);
  std::set<std::string, std::less<>> others;
  for (auto& t : ledger.structure.tables) if (!bookkeeping(t.name) && !touched.tables.contains(t.name)) others.insert(t.name);
  Protected guard(c, std::move(others));
  try {
    work();
  } catch (const Failure& failure) {
    if (failure.error_type() == appdb::protected_table) complain(failure.details());
    throw;
  }
}

WholeCheck::WholeCheck(Connection& c, const Ledger& ledger, const Way& way) : connection_(c), touched_(touched_by(way)) {
  std::int64_t budget = 20'000;
  for (auto& t : ledger.structure.tables) {
    if (bookkeeping(t.name) || touched_.rows.contains(t.name)) continue;
    rows_[t.name] = row_count(c, t.name);
    if (touched_.tables.contains(t.name) || rows_[t.name] > budget) continue;
    budget -= rows_[t.name];
    small_[t.name] = fingerprint(c, t);
  }
  for (auto& name : touched_.rows) {
    references_.push_back(name);
    for (auto& other : ledger.structure.referencing(name)) references_.push_back(other);
  }
  broken_before_ = broken();
}

std::int64_t WholeCheck::broken() const {
  std::int64_t out = 0;
  for (auto& name : references_) if (migrations::table_exists(connection_, name)) out += broken_references(connection_, name);
  return out;
}

void WholeCheck::require_untouched(const Ledger& after) const {
  for (auto& t : after.structure.tables) {
    if (bookkeeping(t.name)) continue;
    auto rows = rows_.find(t.name);
    if (rows != rows_.end() && row_count(connection_, t.name) != rows->second) complain("rows of table " + t.name + " are missing or new");
    auto small = small_.find(t.name);
    if (small != small_.end() && fingerprint(connection_, t) != small->second) complain("rows differ in table " + t.name + ", which no migration touches");
  }
  if (broken() > broken_before_) complain("references would be left to rows that are not there");
}

}  // namespace basalt::upgrade
