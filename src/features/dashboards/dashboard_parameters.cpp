#include "features/dashboards/dashboard_parameters.h"

#include <map>
#include <set>

#include "base/failure.h"
#include "features/cards/card_queries.h"

namespace basalt::features {
namespace {

bool is_empty_value(const json::value& value) {
  if (value.is_null()) return true;
  if (auto* list = value.if_array()) return list->empty();
  if (auto* text = value.if_string()) return text->empty();
  return false;
}

std::string_view section(std::string_view type) { return type.substr(0, type.find('/')); }

bool is_text_tag(const json::value& target) {
  auto* parts = target.if_array();
  return parts && !parts->empty() && (*parts)[0].is_string() && (*parts)[0].get_string() == "text-tag";
}

}  // namespace

bool parameter_type_fits(std::string_view declared, std::string_view given) {
  if (declared == given || declared == "category") return declared == given || section(given) == "string" || section(given) == "number" || given == "text" || given == "id" || given == "boolean";
  if (declared == "date/all-options") return section(given) == "date";
  if (declared == "id") return given == "number" || given == "number/=" || given == "text" || given == "string/=" || given == "category";
  if (section(declared) == "location") return given == "text" || given == "string/=" || given == "category";
  if (declared == "string/=" ) return given == "text" || given == "category" || section(given) == "location";
  if (declared == "number/=") return given == "number" || given == "category" || given == "id";
  if (declared == "date/single") return given == "date";
  if (declared == "boolean/=") return given == "boolean";
  return false;
}

json::array dashcard_parameters(const json::array& declared, const json::array& mappings, CardId card, const json::array& given) {
  std::map<std::string, const json::value*> declared_by_id, given_by_id;
  for (auto& parameter : declared) {
    if (auto id = json::text(parameter, "id")) declared_by_id[*id] = &parameter;
  }
  for (auto& one : given) {
    if (!one.is_object()) throw bad_field("parameters", "value must be an array of maps with id and value.");
    auto id = json::text(one, "id");
    if (!id) continue;  // older clients repeat a card's own parameters by target
    if (!declared_by_id.contains(*id)) throw Failure(FailureKind::BadRequest, "This dashboard does not have a filter with the id \"" + *id + "\".").with_error_type("invalid-parameter");
    auto type = json::text(one, "type"), wanted = json::text(*declared_by_id[*id], "type");
    if (type && wanted && !parameter_type_fits(*wanted, *type))
      throw Failure(FailureKind::BadRequest, "The filter \"" + json::text(*declared_by_id[*id], "name").value_or(*id) + "\" takes values of the type " + *wanted + ", not " + *type + ".").with_error_type("invalid-parameter");
    given_by_id[*id] = &one;
  }

  json::array out;
  for (auto& parameter : declared) {
    auto id = json::text(parameter, "id");
    if (!id) continue;
    auto sent = given_by_id.find(*id);
    auto* value = sent == given_by_id.end() ? nullptr : sent->second->get_object().if_contains("value");
    json::value in_force = nullptr;
    if (value) in_force = *value;                     // also null and []: no filter
    else if (auto* standard = json::find(parameter, "default")) in_force = *standard;
    // A filter that must have a value falls back on its default even when it was emptied.
    bool is_required = json::boolean(parameter, "required").value_or(false);
    if (is_required && is_empty_value(in_force)) {
      if (auto* standard = json::find(parameter, "default")) in_force = *standard;
    }
    std::vector<json::value> targets;
    bool mapped = false;
    for (auto& mapping : mappings) {
      if (json::text(mapping, "parameter_id") != id) continue;
      auto to = json::integer(mapping, "card_id");
      if (to && *to != card.value) continue;
      mapped = true;
      auto* target = json::find(mapping, "target");
      if (target && !is_text_tag(*target)) targets.push_back(*target);
    }
    if (!mapped && value) {
      // Only a template tag may be aimed at without a mapping: the client is showing the card's own parameter here.
      auto* target = json::find(*sent->second, "target");
      if (mappings.empty() && target && is_template_tag_target(*target)) targets.push_back(*target);
    }
    for (auto& target : targets) {
      json::object one{{"id", *id}, {"type", json::text(parameter, "type").value_or("category")}, {"target", target},
                       {"value", is_empty_value(in_force) ? json::value(nullptr) : in_force}};
      for (auto key : {"slug", "name"}) {
        if (auto text = json::text(parameter, key)) one[key] = *text;
      }
      const json::object* options = sent == given_by_id.end() ? nullptr : json::sub_object(*sent->second, "options");
      if (!options) options = json::sub_object(parameter, "options");
      if (options) one["options"] = *options;
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace basalt::features
