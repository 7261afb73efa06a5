// Values of filters become filters of the stage they are aimed at, applied before its aggregation.
#include <algorithm>

#include "query/parameters.h"
#include "query/failures.h"
#include "query/passes/passes.h"

namespace basalt::query {
namespace {

void replace_unit(Stage& stage, const Expression& target, const std::string& name) {
  auto unit = temporal_unit(name);
  if (!unit) invalid_parameter("\"" + name.substr(0, 60) + "\" is no unit of time.");
  auto change = [&](Expression& e) {
    auto* wanted = std::get_if<FieldReference>(&target.node);
    auto* field = std::get_if<FieldReference>(&e.node);
    if (wanted && field && field->field == wanted->field && field->join_alias == wanted->join_alias && field->source_field == wanted->source_field && field->unit) field->unit = unit;
    auto* wanted_named = std::get_if<ExpressionReference>(&target.node);
    auto* named = std::get_if<ExpressionReference>(&e.node);
    if (wanted_named && named && named->name == wanted_named->name && named->unit) named->unit = unit;
  };
  for (auto& breakout : stage.breakouts) change(breakout);
  for (auto& ordering : stage.order_by) change(ordering.by);
}

void apply(std::vector<Stage>& stages, const json::array& parameters, std::optional<std::size_t> only) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::string place = "parameters[" + std::to_string(i) + "]";
    auto* target_json = json::find(parameters[i], "target");
    if (!target_json) continue;
    try {
      auto target = parameter_target(*target_json);
      if (!target || !target->column) continue;
      auto value = parameter_value(parameters[i]);
      if (value.is_null()) continue;
      std::int64_t count = static_cast<std::int64_t>(stages.size());
      std::int64_t at = only ? static_cast<std::int64_t>(*only) : target->stage < 0 ? count + target->stage : target->stage;
      if (at < 0 || at >= count) invalid_parameter("There is no stage " + std::to_string(target->stage) + " to filter.");
      auto& stage = stages[static_cast<std::size_t>(at)];
      auto type = json::text(parameters[i], "type").value_or("category");
      if (type == "temporal-unit") {
        if (!value.is_string()) invalid_parameter("A parameter of type temporal-unit takes a unit such as month.");
        replace_unit(stage, *target->column, std::string(value.get_string()));
        continue;
      }
      // The filter's own granularity counts, not the one the column is grouped by.
      if (auto* field = std::get_if<FieldReference>(&target->column->node)) { field->unit.reset(); field->binning.reset(); }
      if (auto* named = std::get_if<ExpressionReference>(&target->column->node)) { named->unit.reset(); named->binning.reset(); }
      const json::object none;
      auto* options = json::sub_object(parameters[i], "options");
      auto filter = parameter_filter(type, value, *target->column, options ? *options : none);
      if (!filter) continue;
      if (stage.filter) stage.filter = Expression{Call{Function::And}, {std::move(*stage.filter), std::move(*filter)}};
      else stage.filter = std::move(filter);
    } catch (Failure& failure) {
      if (failure.place().empty()) throw Failure(failure).with_place(place);
      throw;
    }
  }
}

}  // namespace

Query parameters(Query query, const PassContext& context) {
  // A stage's own parameters apply to that level only.
  each_stages(query.stages, [](std::vector<Stage>& stages) {
    for (std::size_t i = 0; i < stages.size(); ++i) {
      apply(stages, stages[i].parameters, i);
      stages[i].parameters.clear();
    }
  });
  json::array all = query.parameters;
  for (auto& parameter : context.options.parameters) all.push_back(parameter);
  // Filters on a model itself see its columns, not those of the table beneath: an extra stage around it.
  auto around = [](const json::value& parameter) {
    auto* target = json::find(parameter, "target");
    auto read = target && json::find(parameter, "value") ? parameter_target(*target) : std::nullopt;
    return read && read->column && read->stage == -1 && json::text(parameter, "type").value_or("") != "temporal-unit";
  };
  if (context.options.card_metadata.is_array() && std::any_of(all.begin(), all.end(), around)) {
    Stage extra;
    extra.from_model = true;
    extra.source_metadata = stored_columns(context.options.card_metadata);
    query.stages.push_back(std::move(extra));
  }
  apply(query.stages, all, std::nullopt);
  return query;
}

}  // namespace basalt::query
