// SQL and its template tags.
#include <algorithm>

#include "query/parser.h"

namespace basalt::query {

NativeQuery Parser::native_query(const json::value& v) {
  auto* o = v.if_object();
  if (!o) fail("`native` is a JSON object with the SQL in `query`.");
  auto* sql = find_key(*o, "query");
  if (!sql || !sql->is_string()) fail("`native` needs its SQL as text in `query`.");
  return native_beside(*o, std::string(sql->get_string()));
}

NativeQuery Parser::native_beside(const json::object& o, std::string sql) {
  NativeQuery result{std::move(sql), template_tags(find_key(o, "template-tags"))};
  if (auto* tags = find_key(o, "template-tags")) result.tags_as_given = *tags;
  if (auto* collection = find_key(o, "collection")) result.more["collection"] = *collection;
  return result;
}

std::vector<TemplateTag> Parser::template_tags(const json::value* v) {
  std::vector<TemplateTag> result;
  if (!v) return result;
  At at(*this, "template-tags");
  if (auto* o = v->if_object()) {
    for (auto& entry : *o) {
      At at_tag(*this, std::string_view(entry.key()));
      result.push_back(template_tag(entry.value(), std::string(entry.key())));
    }
  } else {
    for (auto& item : list(*v, "`template-tags`")) result.push_back(template_tag(item, ""));
  }
  return result;
}

TemplateTag Parser::template_tag(const json::value& v, std::string key) {
  auto* o = v.if_object();
  if (!o) fail("A template tag is a JSON object.");
  TemplateTag tag;
  tag.name = text_of(*o, "name");
  if (tag.name.empty()) tag.name = key;
  if (!key.empty() && tag.name != key) fail("The template tag `" + key + "` calls itself `" + tag.name + "`: both have to be the same.");
  tag.display_name = text_of(*o, "display-name");
  tag.id = text_of(*o, "id");
  tag.type = normal(text_of(*o, "type"));
  if (tag.type.empty()) tag.type = "text";
  constexpr std::string_view known[] = {"text", "number", "date", "boolean", "dimension", "snippet", "card", "temporal-unit", "table"};
  if (std::find(std::begin(known), std::end(known), tag.type) == std::end(known))
    fail("`" + tag.type + "` is no type of a template tag.");
  if (auto* value = find_key(*o, "default")) tag.default_value = *value;
  if (auto* value = find_key(*o, "required")) tag.required = value->is_bool() && value->get_bool();
  if (auto* value = find_key(*o, "dimension")) {
    At at(*this, "dimension");
    auto read = reference(*value);
    auto* field = std::get_if<FieldReference>(&read.node);
    if (!field) fail("`dimension` is a reference to a field.");
    tag.dimension = std::move(*field);
  }
  if ((tag.type == "dimension" || tag.type == "temporal-unit") && !tag.dimension) fail("A template tag of type " + tag.type + " needs its field in `dimension`.");
  tag.widget_type = text_of(*o, "widget-type");
  tag.alias = text_of(*o, "alias");
  if (auto* options = object_at(*o, "options")) tag.options = *options;
  tag.snippet_name = text_of(*o, "snippet-name");
  if (auto* value = find_key(*o, "card-id"))
    if (auto id = json::as_integer(*value)) tag.card = CardId(*id);
  if (auto* value = find_key(*o, "table-id"))
    if (auto id = json::as_integer(*value)) tag.table = TableId(*id);
  tag.table_schema = text_of(*o, "table-schema");
  tag.table_name = text_of(*o, "table-name");
  return tag;
}

}  // namespace basalt::query
