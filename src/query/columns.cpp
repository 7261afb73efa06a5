#include "query/columns.h"

#include <set>

namespace basalt::query {
namespace {

// Where the entries of a column go: into an object, or at once into text, which every answer needs twice for each column.
struct IntoObject {
  json::object& out;
  template <class T>
  void operator()(std::string_view key, const T& value) { out[key] = value; }
  void operator()(std::string_view key, const std::optional<std::string>& value) { out[key] = json::or_null(value); }
  template <class Id>
    requires requires(const Id& id) { id.value; }
  void operator()(std::string_view key, const std::optional<Id>& value) {
    if (value) out[key] = value->value;
    else out[key] = nullptr;
  }
};

struct IntoText {
  std::string& out;
  bool first = true;
  void name(std::string_view key) {
    if (!first) out += ',';
    first = false;
    out += '"';
    out += key;  // our own, nothing to escape
    out += "\":";
  }
  template <class T>
  void operator()(std::string_view key, const T& value) {
    name(key);
    if constexpr (std::is_same_v<T, json::value>) json::write_to(out, value);
    else if constexpr (std::is_same_v<T, std::nullptr_t>) out += "null";
    else if constexpr (std::is_same_v<T, bool>) out += value ? "true" : "false";
    else if constexpr (std::is_integral_v<T>) json::write_number(out, static_cast<std::int64_t>(value));
    else if constexpr (std::is_convertible_v<const T&, std::string_view>) json::write_string(out, value);
    else json::write_to(out, json::value(value));
  }
  void operator()(std::string_view key, const std::optional<std::string>& value) {
    if (value) (*this)(key, *value);
    else (*this)(key, nullptr);
  }
  template <class Id>
    requires requires(const Id& id) { id.value; }
  void operator()(std::string_view key, const std::optional<Id>& value) {
    if (value) (*this)(key, value->value);
    else (*this)(key, nullptr);
  }
};

template <class Add>
void add_shared(Add& add, const ResultColumn& c) {
  add("name", c.name);
  add("display_name", c.display_name);
  add("base_type", c.base_type);
  add("effective_type", c.effective_type);
  add("semantic_type", c.semantic_type);
  add("field_ref", c.field_ref);
  add("fingerprint", c.fingerprint);
  if (c.id) {
    add("id", c.id->value);
    add("table_id", c.table);
    add("description", c.description);
    add("visibility_type", c.visibility_type);
    add("coercion_strategy", c.coercion_strategy);
    add("fk_target_field_id", c.fk_target);
    add("settings", c.settings);
  } else if (c.description) {
    add("description", *c.description);
  }
  if (c.unit) add("unit", std::string(name_of(*c.unit)));
}

template <class Add>
void add_all(Add& add, const ResultColumn& c) {
  add_shared(add, c);
  add("source", c.source);
  add("database_type", c.database_type);
  if (c.id) {
    add("position", c.position);
    add("active", true);
    add("nfc_path", nullptr);
    add("parent_id", nullptr);
  } else if (!c.settings.is_null()) {
    add("settings", c.settings);
  }
  if (auto& b = c.binning) {
    add("binning_info", json::object{{"binning_strategy", b->strategy}, {"bin_width", b->width}, {"num_bins", b->bins}, {"min_value", b->low}, {"max_value", b->high}});
  }
  if (c.fk_field) add("fk_field_id", c.fk_field->value);
  if (!c.join_alias.empty()) add("source_alias", c.join_alias);
  if (!c.expression_name.empty()) add("expression_name", c.expression_name);
  if (c.aggregation_index) add("aggregation_index", *c.aggregation_index);
  if (!c.remapped_from.empty()) add("remapped_from", c.remapped_from);
  if (!c.remapped_to.empty()) add("remapped_to", c.remapped_to);
  if (!c.converted_timezone.empty()) add("converted_timezone", c.converted_timezone);
}

}  // namespace

json::object ResultColumn::to_json() const {
  json::object out;
  out.reserve(28);
  IntoObject add{out};
  add_all(add, *this);
  return out;
}

json::object ResultColumn::to_metadata() const {
  json::object out;
  out.reserve(16);
  IntoObject add{out};
  add_shared(add, *this);
  return out;
}

void ResultColumn::write_json(std::string& out) const {
  out += '{';
  IntoText add{out};
  add_all(add, *this);
  out += '}';
}

void ResultColumn::write_metadata(std::string& out) const {
  out += '{';
  IntoText add{out};
  add_shared(add, *this);
  out += '}';
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
