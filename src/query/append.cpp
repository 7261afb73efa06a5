// Rows of several queries below each other.
#include "query/resolver.h"

namespace basalt::query {
namespace {

// May values of these kinds stand in one column?
bool go_together(TypeKind a, TypeKind b) {
  if (a == b || a == TypeKind::Unknown || b == TypeKind::Unknown || a == TypeKind::Other || b == TypeKind::Other) return true;
  if (is_numeric(a) && is_numeric(b)) return true;
  auto dated = [](TypeKind kind) { return is_temporal(kind) && kind != TypeKind::Time; };
  return dated(a) && dated(b);
}

}  // namespace

Relation Resolver::with_appended(Relation relation, const std::vector<Append>& others, const std::string& place) {
  static const Stage everything;
  auto require_known = [&](const Relation& r) {
    if (!r.known) invalid_query("The columns of SQL that is appended, or that rows are appended to, have to be known: save it as a card and run that once.", place + ".append");
  };
  require_known(relation);
  auto first = stage(everything, std::move(relation), Position::Inner, place);
  auto all = std::make_shared<ResolvedUnion>();
  all->parts.push_back(first.stage);
  for (std::size_t i = 0; i < others.size(); ++i) {
    auto here = clause_place(place, "append", i);
    Scope scope{everything, joined(others[i].stages, here), here};
    require_known(scope.main);
    auto part = std::make_shared<ResolvedStage>();
    part->alias = scope.main.table ? scope.main.table->name : "source";
    bool any = false;
    for (std::size_t k = 0; k < first.relation.columns.size(); ++k) {
      auto& column = first.relation.columns[k];
      FieldReference wanted{column.name};
      auto found = look_up(scope.main, "", wanted, nullptr);
      Expression value{Literal{nullptr}};
      if (found) {
        any = true;
        value = field_value(scope, wanted, *found);
        auto mine = type_kind(column.effective_type), its = kind_of(value);
        if (!go_together(mine, its))
          invalid_query("`" + column.display_name + "` is " + std::string(in_words(mine)) + " above and " + std::string(in_words(its)) + " in the appended query; convert or rename one of them.", here);
      }
      part->outputs.push_back({std::move(value), first.relation.sql_names[k]});
    }
    if (!any) invalid_query("The appended query has no column in common with the rows above it; they are matched by name.", here);
    part->source = std::move(scope.main.source);
    all->parts.push_back(std::move(part));
    all->distinct.push_back(others[i].distinct);
  }
  Relation result = std::move(first.relation);
  result.source = std::shared_ptr<const ResolvedUnion>(std::move(all));
  return result;
}

}  // namespace basalt::query
