#include "appdb/store.h"

#include <algorithm>
#include <charconv>

#include "appdb/postgres_store.h"
#include "appdb/sqlite_store.h"

namespace basalt::appdb {
namespace {

int number(const std::string& text) {
  int n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

Marks read_marks(const std::vector<Row>& rows) {
  Marks found;
  bool has_level = false;
  for (auto& row : rows) {
    auto& key = row.text("key");
    auto& value = row.text("value");
    if (key == "schema") found.schema = number(value);
    else if (key == "compat_floor") found.compat_floor = number(value);
    else if (key == "generation") found.generation = value;
    else if (key == "level") found.level = number(value), has_level = true;
  }
  if (!has_level) found.level = found.schema;
  return found;
}

}  // namespace

std::unique_ptr<Store> Store::open(StoreOptions options) {
  if (options.engine == Engine::Postgres) return std::make_unique<PostgresStore>(std::move(options));
  return std::make_unique<SqliteStore>(std::move(options));
}

void Store::serve_as(int target) {
  auto now = look();
  std::lock_guard lock(marks_mutex_);
  target_ = target;
  generation_ = now.generation;
  served_schema_ = std::min(target, now.schema);
}

Marks Store::marks() const {
  std::lock_guard lock(marks_mutex_);
  return marks_;
}

Marks Store::look() {
  std::uint64_t before = 0;
  {
    std::lock_guard lock(marks_mutex_);
    before = kept_;
  }
  auto found = read([](Connection& c) {
    // An empty store has no table yet.
    bool there = c.count(c.engine() == Engine::Sqlite ? "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'upgrade_meta'" : "SELECT count(to_regclass('upgrade_meta'))") > 0;
    return there ? read_marks(c.query(marks_query)) : Marks{};
  });
  std::lock_guard lock(marks_mutex_);
  // A write that came between knew better: it reads behind the lock.
  if (kept_ == before) {
    ++kept_;
    marks_ = std::move(found);
  }
  return marks_;
}

void Store::may_write(const std::vector<Row>& rows) {
  {
    std::lock_guard lock(marks_mutex_);
    ++kept_;
    marks_ = read_marks(rows);
  }
  if (auto why = refusal()) throw Failure(*why);
}

}  // namespace basalt::appdb
