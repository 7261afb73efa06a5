#include "query/columns.h"

#include <set>

namespace basalt::query {
namespace {

void add_shared(json::object& out, const ResultColumn& c) {
  out["name"] = c.name;
  out["display_name"] = c.display_name;
  out["base_type"] = c.base_type;
  out["effective_type"] = c.effective_type;
  out["semantic_type"] = json::or_null(c.semantic_type);
  out["field_ref"] = c.field_ref;
  out["fingerprint"] = c.fingerprint;
  if (c.id) {
    out["id"] = c.id->value;
    out["table_id"] = json::or_null(c.table);
    out["description"] = json::or_null(c.description);
    out["visibility_type"] = c.visibility_type;
    out["coercion_strategy"] = json::or_null(c.coercion_strategy);
    out["fk_target_field_id"] = json::or_null(c.fk_target);
    out["settings"] = c.settings;
  } else if (c.description) {
    out["description"] = *c.description;
  }
  if (c.unit) out["unit"] = std::string(name_of(*c.unit));
}

}  // namespace

json::object ResultColumn::to_json() const {
  json::object out;
  out.reserve(28);
  add_shared(out, *this);
  out["source"] = source;
  out["database_type"] = database_type;
  if (id) {
    out["position"] = position;
    out["active"] = true;
    out["nfc_path"] = nullptr;
    out["parent_id"] = nullptr;
  } else if (!settings.is_null()) {
    out["settings"] = settings;
  }
  if (binning) {
    out["binning_info"] = json::object{{"binning_strategy", binning->strategy}, {"bin_width", binning->width}, {"num_bins", binning->bins},
                                       {"min_value", binning->low}, {"max_value", binning->high}};
  }
  if (fk_field) out["fk_field_id"] = fk_field->value;
  if (!join_alias.empty()) out["source_alias"] = join_alias;
  if (!expression_name.empty()) out["expression_name"] = expression_name;
  if (aggregation_index) out["aggregation_index"] = *aggregation_index;
  if (!remapped_from.empty()) out["remapped_from"] = remapped_from;
  if (!remapped_to.empty()) out["remapped_to"] = remapped_to;
  if (!converted_timezone.empty()) out["converted_timezone"] = converted_timezone;
  return out;
}

json::object ResultColumn::to_metadata() const {
  json::object out;
  out.reserve(16);
  add_shared(out, *this);
  return out;
}

ResultColumn native_column(const std::string& name, const std::string& base_type, const std::string& database_type) {
  ResultColumn column;
  column.name = column.display_name = name;
  column.base_type = column.effective_type = base_type;
  column.database_type = database_type;
  column.source = "native";
  column.field_ref = json::array{"field", name, json::object{{"base-type", base_type}}};
  return column;
}

void make_names_unique(std::vector<ResultColumn>& columns) {
  std::set<std::string> taken;
  auto lower = [](std::string text) {
    for (auto& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
  };
  for (auto& column : columns) {
    std::string name = column.name;
    for (int n = 2; !taken.insert(lower(name)).second; ++n) name = column.name + "_" + std::to_string(n);
    if (name == column.name) continue;
    if (auto* ref = column.field_ref.if_array(); ref && ref->size() > 1 && (*ref)[1].is_string() && (*ref)[1].get_string() == column.name && (*ref)[0] == "field") (*ref)[1] = name;
    column.name = std::move(name);
  }
}

}  // namespace basalt::query
