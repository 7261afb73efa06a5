#include "migrations/phases.h"

#include <algorithm>
#include <set>

namespace basalt::migrations {
namespace {

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

using Names = std::set<std::string>;

// Tables that are made, go or change their name.
Names comes_or_goes(const Operation& operation) {
  return std::visit(Cases{
                        [](const CreateTable& o) -> Names { return {o.table.name}; },
                        [](const DropTable& o) -> Names { return {o.table}; },
                        [](const RenameTable& o) -> Names { return {o.from, o.to}; },
                        [](const auto&) -> Names { return {}; },
                    },
                    operation);
}

// Tables that other tables' columns point at because of this operation.
Names refers_to(const Operation& operation) {
  Names out;
  if (auto* o = std::get_if<CreateTable>(&operation)) for (auto& c : o->table.columns) if (!c.target.empty()) out.insert(c.target);
  if (auto* o = std::get_if<DropTable>(&operation); o && o->was) for (auto& c : o->was->columns) if (!c.target.empty()) out.insert(c.target);
  if (auto* o = std::get_if<AddColumn>(&operation); o && !o->column.target.empty()) out.insert(o->column.target);
  if (auto* o = std::get_if<DropColumn>(&operation); o && o->was) if (auto* c = o->was->column(o->column); c && !c->target.empty()) out.insert(c->target);
  return out;
}

// Rows that go away or come, which a reference to the table would notice.
bool moves_rows(const Operation& operation) {
  if (auto* o = std::get_if<AddUnique>(&operation)) return o->duplicates.rename.empty();
  if (auto* o = std::get_if<DropUnique>(&operation)) return o->duplicates.rename.empty();
  return std::holds_alternative<InsertRows>(operation);
}

Names all_tables(const Operation& operation) {
  auto out = comes_or_goes(operation);
  out.insert(table_of(operation));
  return out;
}

bool overlap(const Names& a, const Names& b) {
  return std::any_of(a.begin(), a.end(), [&](auto& name) { return b.contains(name); });
}

// The columns whose names or types an operation within one table is about; absent when it is about whole rows.
std::optional<Names> columns_of(const Operation& operation) {
  auto list = [](const std::vector<std::string>& names) { return Names(names.begin(), names.end()); };
  return std::visit(Cases{
                        [](const AddColumn& o) -> std::optional<Names> { return Names{o.column.name}; },
                        [](const RenameColumn& o) -> std::optional<Names> { return Names{o.from, o.to}; },
                        [](const ChangeColumn& o) -> std::optional<Names> { return Names{o.column.name}; },
                        [&](const AddUnique& o) -> std::optional<Names> { return o.duplicates.rename.empty() ? std::nullopt : std::optional(list(o.unique.columns)); },
                        [&](const DropUnique& o) -> std::optional<Names> { return o.duplicates.rename.empty() ? std::nullopt : std::optional(list(o.unique.columns)); },
                        [&](const CreateIndex& o) -> std::optional<Names> { return list(o.index.columns); },
                        [](const ReshapeJson& o) -> std::optional<Names> { return Names{o.column}; },
                        [](const auto&) -> std::optional<Names> { return std::nullopt; },
                    },
                    operation);
}

// An index does not care for values, and values do not care for an index: only for the columns' names.
bool index_beside(const CreateIndex& index, const Operation& other) {
  Names wanted(index.index.columns.begin(), index.index.columns.end());
  return std::visit(Cases{
                        [&](const AddUnique&) { return true; },
                        [&](const DropUnique&) { return true; },
                        [&](const InsertRows&) { return true; },
                        [&](const ReshapeJson&) { return true; },
                        [&](const CreateIndex& o) { return !(o.index == index.index); },
                        [&](const DropColumn&) { return false; },  // its way back puts the whole table back as it was
                        [&](const auto&) { auto columns = columns_of(other); return columns && !overlap(*columns, wanted); },
                    },
                    other);
}

}  // namespace

Phase phase_of(const Operation& operation) {
  return std::visit(Cases{
                        [](const CreateTable&) { return Phase::Expand; },
                        [](const AddColumn&) { return Phase::Expand; },
                        [](const CreateIndex&) { return Phase::Expand; },
                        [](const InsertRows&) { return Phase::Expand; },
                        [](const auto&) { return Phase::Finalise; },
                    },
                    operation);
}

bool commute(const Operation& a, const Operation& b) {
  if (overlap(comes_or_goes(a), refers_to(b)) || overlap(comes_or_goes(b), refers_to(a))) return false;
  if (moves_rows(a) && refers_to(b).contains(table_of(a))) return false;
  if (moves_rows(b) && refers_to(a).contains(table_of(b))) return false;
  if (!overlap(all_tables(a), all_tables(b))) return true;
  if (!comes_or_goes(a).empty() || !comes_or_goes(b).empty()) return false;
  if (auto* index = std::get_if<CreateIndex>(&a)) return index_beside(*index, b);
  if (auto* index = std::get_if<CreateIndex>(&b)) return index_beside(*index, a);
  // Two columns added stand in the order in which they came.
  if (std::holds_alternative<AddColumn>(a) && std::holds_alternative<AddColumn>(b)) return false;
  auto left = columns_of(a), right = columns_of(b);
  return left && right && !overlap(*left, *right);
}

std::vector<std::pair<int, int>> put_off(const std::vector<Migration>& ups) {
  std::vector<std::pair<int, int>> out;
  std::vector<const Operation*> waiting;
  for (auto& migration : ups)
    for (std::size_t i = 0; i < migration.operations.size(); ++i) {
      auto& operation = migration.operations[i];
      bool waits = phase_of(operation) == Phase::Finalise || std::any_of(waiting.begin(), waiting.end(), [&](auto* earlier) { return !commute(*earlier, operation); });
      if (!waits) continue;
      waiting.push_back(&operation);
      out.emplace_back(migration.number, static_cast<int>(i));
    }
  return out;
}

std::vector<std::string> lint(const Migration& migration, const Structure& before) {
  std::vector<std::string> found;
  auto complain = [&](std::string sentence) { found.push_back("Migration " + std::to_string(migration.number) + " (" + migration.name + "): " + std::move(sentence)); };
  bool finalises = std::any_of(migration.operations.begin(), migration.operations.end(), [](auto& o) { return phase_of(o) == Phase::Finalise; });
  if (migration.compat_floor > migration.number) complain("compat_floor " + std::to_string(migration.compat_floor) + " is above its own number.");
  if (finalises && migration.compat_floor != migration.number)
    complain("it changes what older versions read or write, so compat_floor must be its own number, " + std::to_string(migration.number) + ".");
  auto structure = before;
  int number = 0;
  for (auto& raw : migration.operations) {
    auto complaints = lint(raw, structure);
    found.insert(found.end(), complaints.begin(), complaints.end());
    if (!complaints.empty()) break;  // what follows would only be noise
    auto check_reference = [&](const Column& c) {
      if (!c.target.empty() && c.on_delete == OnDelete::Restrict && before.table(c.target))
        complain(describe(raw) + ": " + c.name + " would keep older versions from deleting rows of " + c.target + "; let it cascade or become null.");
    };
    if (auto* o = std::get_if<CreateTable>(&raw)) for (auto& c : o->table.columns) check_reference(c);
    if (auto* o = std::get_if<AddColumn>(&raw)) check_reference(o->column);
    apply_to(structure, prepare(raw, structure), migration.number, number++);
  }
  return found;
}

}  // namespace basalt::migrations
