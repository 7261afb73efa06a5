// Stages to SELECTs: sources, joins, columns, groups, order.
#include <algorithm>

#include "query/resolver.h"

namespace basalt::query {
namespace {

bool only_a_source(const Stage& stage) {
  return stage.append.empty() && stage.windows.empty() && stage.joins.empty() && stage.expressions.empty() && !stage.filter && !stage.grouped() && !stage.fields && stage.order_by.empty() &&
         !stage.limit && !stage.page && stage.parameters.empty();
}

// Runs `work`; a failure without a place gets this one.
template <class Place, class Work>
auto located(Place place, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (Failure& failure) {
    if (failure.place().empty() && (failure.kind() == FailureKind::BadRequest || failure.kind() == FailureKind::Unsupported || failure.kind() == FailureKind::NotFound))
      throw Failure(failure).with_place(place());
    throw;
  }
}

ResultColumn from_stored(const StoredColumn& stored) {
  ResultColumn c;
  c.name = stored.name;
  c.display_name = stored.display_name;
  c.base_type = stored.base_type;
  c.effective_type = stored.effective_type;
  auto& all = stored.all;
  auto text = [&](std::string_view key) { return json::text(all, key); };
  c.semantic_type = text("semantic_type");
  c.description = text("description");
  c.database_type = text("database_type").value_or("");
  c.visibility_type = text("visibility_type").value_or("normal");
  if (auto id = json::integer(all, "id")) c.id = FieldId(*id);
  if (auto id = json::integer(all, "table_id")) c.table = TableId(*id);
  if (auto id = json::integer(all, "fk_target_field_id")) c.fk_target = FieldId(*id);
  if (auto* fingerprint = json::find(all, "fingerprint")) c.fingerprint = *fingerprint;
  if (auto* settings = json::find(all, "settings")) c.settings = *settings;
  if (auto* ref = json::find(all, "field_ref")) c.field_ref = *ref;
  if (c.field_ref.is_null()) c.field_ref = json::array{"field", c.name, json::object{{"base-type", c.base_type}}};
  return c;
}

}  // namespace

Resolver::Resolver(Catalog& catalog, const ResolveOptions& options, DatabaseId database, std::string engine_zone)
    : catalog_(catalog), options_(options), database_(database), zone_(Zone::find(options.time_zone.empty() ? engine_zone : options.time_zone)),
      first_day_(first_day_of_week(options.start_of_week)) {
  if (!zone_) invalid_query("\"" + options.time_zone + "\" is no time zone; names look like \"Europe/Berlin\".");
}

// What a model's author has written about its columns, or what is known of native SQL.
void Resolver::take_metadata(Relation& relation, const Stage& stage) {
  if (stage.source_metadata.empty() || relation.table) return;
  if (!relation.known) {
    relation.columns.clear();
    relation.sql_names.clear();
    for (auto& stored : stage.source_metadata) {
      relation.columns.push_back(from_stored(stored));
      relation.sql_names.push_back(stored.name);
    }
    relation.known = true;
    return;
  }
  if (!stage.from_model) return;
  for (auto& stored : stage.source_metadata)
    for (auto& column : relation.columns)
      if (column.name == stored.name) {
        column.display_name = stored.display_name;
        if (stored.all.contains("semantic_type")) column.semantic_type = json::text(stored.all, "semantic_type");
        if (auto description = json::text(stored.all, "description")) column.description = description;
        if (auto* settings = json::find(stored.all, "settings")) column.settings = *settings;
      }
}

Relation Resolver::source(const std::vector<Stage>& all, std::size_t index, const std::string& place) {
  auto relation = own_source(all, index, place);
  return all[index].append.empty() ? relation : with_appended(std::move(relation), all[index].append, place);
}

Relation Resolver::own_source(const std::vector<Stage>& all, std::size_t index, const std::string& place) {
  const Stage& stage = all[index];
  Relation relation;
  if (auto* table_source = std::get_if<TableSource>(&stage.source)) {
    auto* table = catalog_.table(table_source->table);
    if (!table || !table->active) throw Failure(FailureKind::NotFound, "Table " + std::to_string(table_source->table.value) + " does not exist.").with_error_type("invalid-query").with_place(place + ".source-table");
    if (table->database != database_) invalid_query("Table " + table->display_name + " belongs to another database.", place + ".source-table");
    relation.table = table;
    relation.source = TableName{table->schema, table->name};
    return relation;
  }
  if (auto* native = std::get_if<NativeSource>(&stage.source)) {
    std::vector<CardId> cards;
    relation.source = native_text(native->query, native->query.from_card ? json::array() : parameters_, cards);
    relation.known = false;
    take_metadata(relation, stage);
    return relation;
  }
  if (auto* card = std::get_if<CardSource>(&stage.source)) throw Failure(FailureKind::Bug, "Card " + std::to_string(card->card.value) + " was not opened.");
  // The previous stage; a bare table or bare SQL needs no SELECT of its own.
  if (index == 0) invalid_query("The first stage needs a source.", place);
  if (only_a_source(all[index - 1]) && !(stage.from_model && !stage.source_metadata.empty())) relation = source(all, index - 1, place);
  else relation = stages(all, index, Position::Inner, place).relation;
  take_metadata(relation, stage);
  return relation;
}

Relation Resolver::joined(const std::vector<Stage>& all, const std::string& place) {
  return only_a_source(all.back()) ? source(all, all.size() - 1, place) : stages(all, all.size(), Position::Inner, place).relation;
}

Resolver::StageResult Resolver::stages(const std::vector<Stage>& all, std::size_t count, Position position, const std::string& place) {
  std::string here = all.size() == 1 ? place : place + ".stages[" + std::to_string(count - 1) + "]";
  return stage(all[count - 1], source(all, count - 1, place), position, here);
}

void Resolver::join_all(Scope& scope) {
  std::size_t unnamed = 0;
  for (std::size_t i = 0; i < scope.stage.joins.size(); ++i) {
    auto& join = scope.stage.joins[i];
    located([&] { return clause_place(scope.place, "joins", i); }, [&] {
      JoinScope added;
      added.alias = join.alias;
      if (added.alias.empty()) added.alias = ++unnamed == 1 ? "__join" : "__join_" + std::to_string(unnamed);
      for (auto& other : scope.joins)
        if (other.alias == added.alias) invalid_query("Two joins are called \"" + added.alias + "\".");
      added.sql_alias = unique_alias(scope, added.alias);
      added.relation = joined(join.stages, clause_place(scope.place, "joins", i));
      added.fields = join.fields;
      added.listed = join.listed;
      scope.joins.push_back(std::move(added));
      ResolvedJoin resolved;
      resolved.source = scope.joins.back().relation.source;
      resolved.alias = scope.joins.back().sql_alias;
      resolved.strategy = join.strategy;
      // Implicit joins that the condition needs come before it.
      if (join.condition) resolved.condition = value(scope, *join.condition);
      scope.resolved_joins.push_back(std::move(resolved));
    });
  }
}

Resolver::StageResult Resolver::stage(const Stage& stage, Relation main, Position position, const std::string& place) {
  struct Depth {
    int& depth;
    ~Depth() { depth -= 10; }
  } depth{depth_ += 10};
  if (depth_ > 300) invalid_query("The query is nested too deeply.", place);

  Scope scope{stage, std::move(main), place};
  auto result = std::make_shared<ResolvedStage>();
  std::vector<ResultColumn> columns;
  std::map<std::size_t, std::size_t> shown_by;  // output -> the output that shows its display value
  join_all(scope);
  if (stage.filter) located([&] { return place + ".filter"; }, [&] { result->filter = value(scope, *stage.filter); });
  result->grouped = stage.grouped();
  if (stage.grouped()) group(scope, *result, columns);
  else list_fields(scope, *result, columns);
  add_windows(scope, *result, columns);
  if (position == Position::Last && options_.remaps) add_display_values(scope, *result, columns, shown_by);
  make_names_unique(columns);
  for (auto& [from, to] : shown_by) {
    columns[from].remapped_to = columns[to].name;
    columns[to].remapped_from = columns[from].name;
  }
  for (std::size_t i = 0; i < columns.size(); ++i) result->outputs[i].name = sql_identifier(columns[i].name);
  order(scope, *result, columns, shown_by);
  set_windows(scope, *result);
  if (stage.limit) result->limit = *stage.limit;
  if (stage.page) {
    result->limit = std::min(stage.page->second, result->limit.value_or(stage.page->second));
    result->offset = (stage.page->first - 1) * stage.page->second;
  }
  result->source = std::move(scope.main.source);
  result->joins = std::move(scope.resolved_joins);
  if (scope.main.table) result->alias = scope.main.table->name;
  else result->alias = "source";
  result->alias = unique_alias(scope, result->alias);

  StageResult out;
  out.relation.known = !result->all_columns;
  for (auto& output : result->outputs) out.relation.sql_names.push_back(output.name);
  out.stage = result;
  out.relation.source = out.stage;
  (position == Position::Last ? out.columns : out.relation.columns) = std::move(columns);  // where the next stage or the answer looks
  return out;
}

void Resolver::group(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns) {
  auto& stage = scope.stage;
  for (std::size_t i = 0; i < stage.breakouts.size(); ++i) {
    located([&] { return clause_place(scope.place, "breakout", i); }, [&] {
      auto original = stage.breakouts[i];
      if (auto* field = std::get_if<FieldReference>(&original.node); field && !field->unit && !field->binning) {
        // Dates are grouped by the day unless somebody says otherwise.
        auto found = find(scope, *field);
        auto kind = found.field ? type_kind(found.field->effective_type) : type_kind(found.column.base_type);
        if ((kind == TypeKind::Date || kind == TypeKind::DateTime || kind == TypeKind::DateTimeZoned) && !(found.inner && found.inner->unit)) field->unit = TemporalUnit::Day;
      }
      auto resolved = value(scope, original);
      auto column = describe(scope, original, resolved);
      column.source = "breakout";
      result.group_by.push_back(result.outputs.size());
      result.outputs.push_back({std::move(resolved), {}});
      columns.push_back(std::move(column));
    });
  }
  for (std::size_t i = 0; i < stage.aggregations.size(); ++i) {
    located([&] { return clause_place(scope.place, "aggregation", i); }, [&] {
      auto& original = stage.aggregations[i];
      auto resolved = value(scope, original);
      auto column = describe(scope, original, resolved);
      column.source = "aggregation";
      column.field_ref = json::array{"aggregation", i};
      column.aggregation_index = i;
      scope.aggregations.push_back(resolved);
      result.outputs.push_back({std::move(resolved), {}});
      columns.push_back(std::move(column));
    });
  }
}

void Resolver::add_relation(Scope& scope, const Relation& relation, const JoinScope* join, ResolvedStage& result, std::vector<ResultColumn>& columns) {
  auto add = [&](const FieldReference& reference, const Found& found) {
    auto resolved = field_value(scope, reference, found);
    for (auto& output : result.outputs)
      if (equal(output.expression, resolved)) return;
    columns.push_back(describe_found(scope, reference, found, resolved));
    result.outputs.push_back({std::move(resolved), {}});
  };
  std::string sql_alias = join ? join->sql_alias : "";
  if (relation.table) {
    for (auto* field : catalog_.fields_of(relation.table->id)) {
      Column column{sql_alias, field->name, field->base_type};
      column.required = field->semantic_type == "type/PK";
      add({field->id}, Found{std::move(column), field, nullptr, join});
    }
    return;
  }
  if (!relation.known) {
    if (join) invalid_query("The columns of the joined SQL are not known yet; run its card once, or list the fields to join.");
    result.all_columns = true;
    return;
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    auto& column = relation.columns[i];
    add({column.name}, Found{Column{sql_alias, relation.sql_names[i], column.effective_type}, nullptr, &column, join});
  }
}

void Resolver::list_fields(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns) {
  auto& stage = scope.stage;
  auto add = [&](const Expression& original, const char* clause, std::size_t i) {
    located([&] { return clause_place(scope.place, clause, i); }, [&] {
      auto resolved = value(scope, original);
      // An expression may compute what a column holds already: it stays a column of its own.
      if (std::holds_alternative<FieldReference>(original.node))
        for (auto& output : result.outputs)
          if (equal(output.expression, resolved)) return;
      columns.push_back(describe(scope, original, resolved));
      result.outputs.push_back({std::move(resolved), {}});
    });
  };
  if (stage.fields) {
    for (std::size_t i = 0; i < stage.fields->size(); ++i) add((*stage.fields)[i], "fields", i);
  } else {
    add_relation(scope, scope.main, nullptr, result, columns);
    for (std::size_t i = 0; i < stage.expressions.size(); ++i) add({ExpressionReference{stage.expressions[i].name}}, "expressions", i);
  }
  // By index: describing a column may add implicit joins behind.
  for (std::size_t i = 0, count = scope.joins.size(); i < count; ++i) {
    auto& join = scope.joins[i];
    if (join.fields == Join::Fields::All) add_relation(scope, join.relation, &join, result, columns);
    if (join.fields == Join::Fields::Listed)
      for (std::size_t k = 0; k < join.listed.size(); ++k) {
        auto listed = join.listed[k];
        if (auto* field = std::get_if<FieldReference>(&listed.node); field && field->join_alias.empty() && !field->source_field) field->join_alias = join.alias;
        add(listed, "joins.fields", k);
      }
  }
  if (result.outputs.empty() && !result.all_columns) invalid_query("The query has no columns to show.", scope.place);
}

// Columns computed over the rows, or over the groups.
void Resolver::add_windows(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns) {
  for (auto& window : scope.stage.windows) {
    located([&] { return scope.place + ".windows." + window.name; }, [&] {
      scope.in_windows = true;
      auto resolved = value(scope, window.expression);
      scope.in_windows = false;
      ResultColumn column;
      column.name = column.expression_name = window.name;
      auto* call = window.expression.call();
      column.display_name = call && !call->display_name.empty() ? call->display_name : window.name;
      column.base_type = column.effective_type = std::string(type_of(resolved));
      if (call && call->function == Function::ShareOfTotal) column.semantic_type = "type/Percentage";
      column.field_ref = json::array{"expression", window.name};
      result.outputs.push_back({std::move(resolved), {}});
      columns.push_back(std::move(column));
    });
  }
}

// Display values (external remapping): the column of the other table that stands for a key, after all others.
void Resolver::add_display_values(Scope& scope, ResolvedStage& result, std::vector<ResultColumn>& columns, std::map<std::size_t, std::size_t>& shown_by) {
  for (std::size_t i = 0, count = columns.size(); i < count; ++i) {
    if (!columns[i].id || columns[i].source == "aggregation" || columns[i].unit || columns[i].binning || columns[i].fk_field) continue;
    auto* field = catalog_.field(*columns[i].id);
    if (!field || !field->remap_to_field) continue;
    auto* target = catalog_.field(*field->remap_to_field);
    if (!target || !target->active || target->visibility_type == "sensitive") continue;
    FieldReference reference{*field->remap_to_field};
    reference.source_field = field->id;
    auto* source = std::get_if<Column>(&result.outputs[i].expression.node);
    for (auto& join : scope.joins)
      if (source && !source->source.empty() && join.sql_alias == source->source) reference.source_field_join_alias = join.alias;
    auto found = find(scope, reference);
    auto resolved = field_value(scope, reference, found);
    std::size_t at = result.outputs.size();
    for (std::size_t k = 0; k < result.outputs.size(); ++k)
      if (equal(result.outputs[k].expression, resolved)) at = k;
    if (at == result.outputs.size()) {
      auto column = describe_found(scope, reference, found, resolved);
      column.display_name = target->display_name;
      column.source = columns[i].source;
      if (result.grouped) result.group_by.push_back(at);
      result.outputs.push_back({std::move(resolved), {}});
      columns.push_back(std::move(column));
    }
    shown_by[i] = at;
  }
}

void Resolver::order(Scope& scope, ResolvedStage& result, const std::vector<ResultColumn>& columns, const std::map<std::size_t, std::size_t>& shown_by) {
  auto& stage = scope.stage;
  auto shown = [&](std::size_t output) {
    auto found = shown_by.find(output);
    return found == shown_by.end() ? output : found->second;
  };
  std::vector<bool> ordered(stage.breakouts.size());
  auto by_output = [&](Direction direction, std::size_t output) {
    if (output < ordered.size()) ordered[output] = true;
    output = shown(output);
    for (auto& earlier : result.order_by)
      if (earlier.output == output) return;
    result.order_by.push_back({direction, output, {}});
  };
  for (std::size_t i = 0; i < stage.order_by.size(); ++i) {
    auto& ordering = stage.order_by[i];
    located([&] { return clause_place(scope.place, "order-by", i); }, [&] {
      if (auto* reference = std::get_if<AggregationReference>(&ordering.by.node)) {
        if (reference->index >= stage.aggregations.size()) invalid_query("There is no aggregation " + std::to_string(reference->index) + " to order by.");
        return by_output(ordering.direction, stage.breakouts.size() + reference->index);
      }
      auto original = ordering.by;
      // Ordering by a column that is grouped by means the group, also when the bucket is not repeated.
      for (std::size_t k = 0; k < stage.breakouts.size(); ++k) {
        auto& breakout = stage.breakouts[k];
        if (auto* field = std::get_if<FieldReference>(&original.node)) {
          auto* other = std::get_if<FieldReference>(&breakout.node);
          if (other && field->field == other->field && field->join_alias == other->join_alias && field->source_field == other->source_field && (!field->unit || field->unit == other->unit)) return by_output(ordering.direction, k);
        } else if (auto* named = std::get_if<ExpressionReference>(&original.node)) {
          auto* other = std::get_if<ExpressionReference>(&breakout.node);
          if (other && named->name == other->name && (!named->unit || named->unit == other->unit)) return by_output(ordering.direction, k);
        }
      }
      if (auto* named = std::get_if<ExpressionReference>(&original.node))
        for (std::size_t k = 0; k < stage.windows.size(); ++k)
          if (stage.windows[k].name == named->name)
            for (std::size_t i = 0; i < columns.size(); ++i)
              if (columns[i].expression_name == named->name) return by_output(ordering.direction, i);
      if (auto* field = std::get_if<FieldReference>(&original.node); field && stage.grouped())
        if (auto* name = std::get_if<std::string>(&field->field))
          for (std::size_t k = 0; k < columns.size(); ++k)
            if (columns[k].name == *name) return by_output(ordering.direction, k);
      auto resolved = value(scope, original);
      for (std::size_t k = 0; k < result.outputs.size(); ++k)
        if (equal(result.outputs[k].expression, resolved)) {
          // Rows: written out, so that the order does not hang on the list of columns.
          if (stage.grouped() || shown(k) != k) return by_output(ordering.direction, k);
          break;
        }
      if (resolved.literal()) return;  // a constant orders nothing
      for (auto& earlier : result.order_by)
        if (!earlier.output && equal(earlier.by, resolved)) return;
      result.order_by.push_back({ordering.direction, std::nullopt, std::move(resolved)});
    });
  }
  for (std::size_t k = 0; k < ordered.size(); ++k)
    if (!ordered[k]) by_output(Direction::Ascending, k);
}

namespace {
bool runs_over_rows(const Expression& e) {
  if (e.is(Function::CumulativeSum) || e.is(Function::CumulativeCount) || e.is(Function::Offset)) return true;
  return std::any_of(e.arguments.begin(), e.arguments.end(), runs_over_rows);
}
// Finer first: 0 for an unbucketed date and time. Absent: not temporal.
std::optional<int> coarseness(const Expression& e) {
  if (!is_temporal(kind_of(e)) && !e.is(Function::Truncate)) return std::nullopt;
  if (e.is(Function::Truncate)) return static_cast<int>(*e.call()->unit);
  return kind_of(e) == TypeKind::Date ? static_cast<int>(TemporalUnit::Day) : 0;
}
}  // namespace

// Running totals and offsets run along the finest date, else the last breakout, and start anew for each value of the others.
void Resolver::set_windows(Scope& scope, ResolvedStage& result) {
  bool any = std::any_of(scope.aggregations.begin(), scope.aggregations.end(), runs_over_rows);
  if (!any) return;
  auto& stage = scope.stage;
  std::size_t along = stage.breakouts.empty() ? 0 : stage.breakouts.size() - 1;
  int finest = 1'000;
  for (std::size_t i = 0; i < stage.breakouts.size(); ++i)
    if (auto c = coarseness(result.outputs[i].expression); c && *c < finest) {
      finest = *c;
      along = i;
    }
  // In the rows, too, the running breakout comes last of those nobody has ordered by.
  std::size_t implied = result.order_by.size();
  auto expression_of = [&](const ResolvedOrdering& o) { return o.output ? result.outputs[*o.output].expression : o.by; };
  if (!stage.breakouts.empty()) {
    bool explicit_order = false;
    for (auto& ordering : stage.order_by) {
      auto* field = std::get_if<FieldReference>(&ordering.by.node);
      auto* other = std::get_if<FieldReference>(&stage.breakouts[along].node);
      if (field && other && field->field == other->field && (!field->unit || field->unit == other->unit)) explicit_order = true;
    }
    for (std::size_t i = 0; i < result.order_by.size(); ++i)
      if (result.order_by[i].output == along) implied = i;
    if (!explicit_order && implied < result.order_by.size()) std::rotate(result.order_by.begin() + static_cast<std::ptrdiff_t>(implied), result.order_by.begin() + static_cast<std::ptrdiff_t>(implied) + 1, result.order_by.end());
    for (std::size_t i = 0; i < stage.breakouts.size(); ++i)
      if (i != along) result.window_partition.push_back(result.outputs[i].expression);
  }
  std::optional<ResolvedOrdering> last;
  for (auto& ordering : result.order_by) {
    auto e = expression_of(ordering);
    if (runs_over_rows(e)) continue;
    bool partition = std::any_of(result.window_partition.begin(), result.window_partition.end(), [&](const Expression& p) { return equal(p, e); });
    if (partition) continue;
    result.window_order.push_back({ordering.direction, std::nullopt, std::move(e)});
  }
}

}  // namespace basalt::query
