#include "features/cards/card_queries.h"

#include <algorithm>

namespace basalt::features {
namespace {

std::string parameter_type_of(const json::value& tag) {
  auto type = json::text(tag, "type").value_or("text");
  if (type == "dimension") return json::text(tag, "widget-type").value_or("category");
  if (type == "temporal-unit") return "temporal-unit";
  if (type == "number") return "number/=";
  if (type == "date") return "date/single";
  if (type == "boolean") return "boolean/=";
  return "string/=";
}

const json::object* find_parameter(const json::array& parameters, const json::value& given) {
  auto id = json::text(given, "id"), slug = json::text(given, "slug");
  for (auto& parameter : parameters) {
    if (id && parameter.is_object() && json::text(parameter, "id") == id) return &parameter.get_object();
  }
  for (auto& parameter : parameters) {
    if (slug && parameter.is_object() && json::text(parameter, "slug") == slug) return &parameter.get_object();
  }
  return nullptr;
}

}  // namespace

json::array card_parameters(const json::array& stored, const json::value& dataset_query) {
  json::array out = stored;
  auto* tags = template_tags(dataset_query);
  if (!tags) return out;
  for (auto& [name, tag] : *tags) {
    auto type = json::text(tag, "type").value_or("text");
    if (type == "snippet" || type == "card" || type == "table") continue;
    auto id = json::text(tag, "id").value_or(std::string(name));
    bool known = false;
    for (auto& parameter : stored) {
      auto* target = json::sub_array(parameter, "target");
      const json::value wanted = json::array{"template-tag", std::string_view(name)};
      known = known || json::text(parameter, "id") == id || (target && target->size() >= 2 && (*target)[1] == wanted);
    }
    if (known) continue;
    json::object parameter{{"id", id}, {"type", parameter_type_of(tag)}, {"slug", std::string_view(name)},
                           {"name", json::text(tag, "display-name").value_or(std::string(name))},
                           {"target", json::array{type == "dimension" || type == "temporal-unit" ? "dimension" : "variable", json::array{"template-tag", std::string_view(name)}}}};
    if (auto* value = json::find(tag, "default")) parameter["default"] = *value;
    if (auto required = json::boolean(tag, "required")) parameter["required"] = *required;
    if (auto* options = json::find(tag, "options")) parameter["options"] = *options;
    out.push_back(std::move(parameter));
  }
  return out;
}

json::array merged_card_parameters(const json::array& parameters, const json::array& given) {
  json::array out;
  for (auto& one : given) {
    if (!one.is_object()) throw bad_field("parameters", "value must be an array of maps with id and value.");
    json::object merged = one.get_object();
    if (auto* stored = find_parameter(parameters, one)) {
      for (auto key : {"type", "target", "options", "slug", "name"}) {
        auto* found = stored->if_contains(key);
        if (found && (!merged.contains(key) || merged[key].is_null())) merged[key] = *found;
      }
    }
    if (json::find(merged, "target")) out.push_back(std::move(merged));
  }
  return out;
}

bool targets_are_declared(const json::array& declared, const json::array& parameters) {
  for (auto& parameter : parameters) {
    auto* target = json::find(parameter, "target");
    if (!target || is_template_tag_target(*target)) continue;
    bool known = false;
    for (auto& one : declared) {
      auto* stored = json::find(one, "target");
      known = known || (stored && *stored == *target);
    }
    if (!known) return false;
  }
  return true;
}

bool is_template_tag_target(const json::value& target) {
  auto* parts = target.if_array();
  if (!parts || parts->size() < 2) return false;
  auto* reference = (*parts)[1].if_array();
  return reference && !reference->empty() && (*reference)[0] == json::value("template-tag");
}

pipeline::Format format_from(const std::string& name) {
  if (name == "csv") return pipeline::Format::Csv;
  if (name == "json") return pipeline::Format::Json;
  if (name == "api") return pipeline::Format::Api;
  if (name == "xlsx") throw Failure(FailureKind::Unsupported, "Exports as XLSX are not made yet; choose csv or json.");
  throw bad_field("export-format", "value must be csv, json or xlsx.");
}

json::array parameters_from(const json::value& body) {
  auto* given = json::find(body, "parameters");
  if (!given) return {};
  if (auto* list = given->if_array()) return *list;
  if (auto* text = given->if_string()) {
    if (text->empty()) return {};
    if (auto parsed = json::try_parse(*text); parsed && parsed->is_array()) return parsed->get_array();
  }
  throw bad_field("parameters", "value must be an array of maps, or JSON text of one.");
}

namespace {

constexpr std::size_t most_pivot_columns = 64;  // more than a pivot table may have; both lists come from the browser

// Which breakouts are rows and which are columns, from the settings of the pivot table: by name, in older cards by reference.
query::PivotOptions pivot_of(const appdb::Row& card) {
  query::PivotOptions pivot;
  auto settings = object_or_empty(card, "visualization_settings");
  auto* split = json::find(settings, "pivot_table.column_split");
  if (!split || !split->is_object()) return pivot;
  json::array breakouts;
  auto metadata = card.json("result_metadata");
  if (auto* columns = metadata.if_array())
    for (auto& column : *columns) {
      auto* reference = json::sub_array(column, "field_ref");
      if (!reference || reference->size() < 2 || (*reference)[0] == json::value("aggregation")) break;  // breakouts come first
      if (breakouts.size() >= most_pivot_columns) break;
      breakouts.push_back(column);
    }
  auto position = [&](const json::value& wanted) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < breakouts.size(); ++i) {
      if (wanted.is_string() && json::text(breakouts[i], "name") == std::string_view(wanted.get_string())) return i;
      auto *reference = json::sub_array(breakouts[i], "field_ref"), *its = wanted.is_array() ? &wanted.get_array() : nullptr;
      if (!its || its->size() < 2 || (*its)[0] != (*reference)[0] || (*its)[1] != (*reference)[1]) continue;
      auto option = [](const json::array& r, const char* key) { return r.size() > 2 ? json::text(r[2], key) : std::nullopt; };
      if (option(*its, "temporal-unit") == option(*reference, "temporal-unit") && option(*its, "join-alias") == option(*reference, "join-alias")) return i;
    }
    return std::nullopt;
  };
  for (auto [key, side] : {std::pair{"rows", &pivot.rows}, {"columns", &pivot.columns}})
    if (auto* list = json::sub_array(*split, key))
      for (auto& item : *list) {
        if (side->size() >= most_pivot_columns) break;
        auto found = position(item);
        if (found && std::find(side->begin(), side->end(), *found) == side->end()) side->push_back(*found);
      }
  pivot.known = !pivot.rows.empty() || !pivot.columns.empty();
  pivot.row_totals = json::boolean(settings, "pivot.show_row_totals").value_or(true);
  pivot.column_totals = json::boolean(settings, "pivot.show_column_totals").value_or(true);
  return pivot;
}

}  // namespace

http::Response run_card(Services& services, const http::Request& request, std::shared_ptr<const permissions::Rights> rights, const appdb::Row& card, CardRun run) {
  pipeline::QueryRequest query;
  query.dataset_query = card.json("dataset_query");
  query.parameters = std::move(run.parameters);
  query.card = card.id<CardId>("id");
  query.card_grants = run.own_targets;
  query.card_metadata = card.text("kind") == "model" ? card.json("result_metadata") : json::value(nullptr);
  query.dashboard = run.dashboard;
  if (run.pivot) query.pivot = pivot_of(card);
  query.gone = request.gone;
  query.context = run.context;
  if (run.format != pipeline::Format::Api) {
    query.constraints = pipeline::Constraints::downloads();
    query.integers_as_text = false;
    query.context = run.format == pipeline::Format::Csv ? "csv-download" : "json-download";
  }
  auto file_name = slug_of(card.text("name"));
  if (file_name.empty() || file_name.find_first_not_of('_') == std::string::npos) file_name = "card_" + std::to_string(card.integer("id"));
  return http::Response::stream([&services, rights = std::move(rights), query = std::move(query), format = run.format, file_name](http::ResponseStream& out) {
    pipeline::run_query(services.queries, *rights, query, format, file_name, out);
  });
}

ParameterQuestion card_parameter_question(const appdb::Row& card, const std::string& key) {
  auto query = card.json("dataset_query"), metadata = card.json("result_metadata");
  ParameterQuestion question;
  question.parameter = require_parameter(card_parameters(array_or_empty(card, "parameters").get_array(), query), key);
  auto add = [&](const json::value* target) {
    auto field = target ? target_field(*target, query, metadata) : std::nullopt;
    if (field) question.fields.push_back(*field);
  };
  add(json::find(question.parameter, "target"));
  auto mappings = array_or_empty(card, "parameter_mappings");
  for (auto& mapping : mappings.get_array()) {
    if (json::text(mapping, "parameter_id") == key) add(json::find(mapping, "target"));
  }
  return question;
}

}  // namespace basalt::features
