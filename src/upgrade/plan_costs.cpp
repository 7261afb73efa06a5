#include "upgrade/plan_costs.h"

namespace basalt::upgrade {

using appdb::Engine;
using migrations::Direction;
using migrations::Operation;

namespace {

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

// Rows per second on two ordinary cores, from bench/upgrade.
constexpr double rebuilt = 350e3, indexed = 900e3, looked_at = 1.5e6, copied = 500e3, reshaped = 45e3, moved = 120e3;

Cost sqlite_cost(const Operation& operation, bool up, double n) {
  auto work = [](double seconds, bool copies = false) { return Cost{seconds + 0.002, (seconds + 0.002) * 1000, "writers", copies}; };
  return std::visit(Cases{
                        [&](const migrations::CreateTable&) { return up ? work(0) : work(n / copied, true); },
                        [&](const migrations::DropTable&) { return work(n / copied, true); },
                        [&](const migrations::AddColumn& o) { return up ? work(o.column.target.empty() ? 0 : n / indexed) : work(n / rebuilt, true); },
                        [&](const migrations::DropColumn&) { return up ? work(n / rebuilt + n / copied, true) : work(n / copied); },
                        [&](const migrations::RenameTable&) { return work(n / indexed); },
                        [&](const migrations::RenameColumn&) { return work(n / indexed); },
                        [&](const migrations::ChangeColumn&) { return work(n / rebuilt + n / looked_at, true); },
                        [&](const migrations::AddUnique&) { return up ? work(n / indexed + n / looked_at) : work(0); },
                        [&](const migrations::DropUnique&) { return up ? work(0) : work(n / indexed + n / looked_at); },
                        [&](const migrations::CreateIndex&) { return up ? work(n / indexed) : work(0); },
                        [&](const migrations::ReshapeJson&) { return work(n / reshaped); },
                        [&](const migrations::InsertRows& o) { return work(static_cast<double>(o.rows.size()) * 0.001); },
                    },
                    operation);
}

Cost postgres_cost(const Operation& operation, bool up, double n) {
  auto moment = [](double seconds = 0.01) { return Cost{seconds, 10, "a moment", false}; };
  auto beside = [](double seconds, bool copies = false) { return Cost{seconds + 0.01, 0, "none", copies}; };
  auto held = [](const char* lock, double seconds, bool copies = false) { return Cost{seconds + 0.01, seconds * 1000 + 10, lock, copies}; };
  return std::visit(Cases{
                        [&](const migrations::CreateTable&) { return up ? moment() : held("table", n / copied, true); },
                        [&](const migrations::DropTable&) { return held("table", n / copied, true); },
                        [&](const migrations::AddColumn& o) { return up ? moment(o.column.target.empty() ? 0.01 : n / indexed) : held("table", n / looked_at); },
                        [&](const migrations::DropColumn&) { return held("table", n / copied); },
                        [&](const migrations::RenameTable&) { return moment(); },
                        [&](const migrations::RenameColumn&) { return moment(); },
                        [&](const migrations::ChangeColumn& o) {
                          bool same = o.was && o.was->type == o.column.type;
                          return same ? Cost{n / looked_at + 0.01, n / looked_at * 1000 + 10, "writers", false} : held("table", n / rebuilt, true);
                        },
                        [&](const migrations::AddUnique&) { return up ? held("writers", n / indexed + n / looked_at) : moment(); },
                        [&](const migrations::DropUnique&) { return up ? moment() : held("writers", n / indexed + n / looked_at); },
                        [&](const migrations::CreateIndex&) { return up ? beside(n / indexed) : moment(); },
                        // Reshaped beside the work, then put in place in one go.
                        [&](const migrations::ReshapeJson&) { return up ? Cost{n / reshaped + n / moved + 0.01, n / moved * 1000 + 10, "writers", true} : held("writers", n / reshaped, true); },
                        [&](const migrations::InsertRows& o) { return moment(0.01 + static_cast<double>(o.rows.size()) * 0.001); },
                    },
                    operation);
}

}  // namespace

Cost cost_of(Engine engine, const Operation& operation, Direction direction, std::int64_t rows) {
  auto n = static_cast<double>(rows);
  return engine == Engine::Sqlite ? sqlite_cost(operation, direction == Direction::Up, n) : postgres_cost(operation, direction == Direction::Up, n);
}

}  // namespace basalt::upgrade
