#include "features/content/objects.h"

namespace basalt::features {

using appdb::Row;

bool is_entity_id(std::string_view text) {
  if (text.size() != 21) return false;
  for (char c : text) {
    bool right = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!right) return false;
  }
  return true;
}

std::int64_t object_id(appdb::Connection& connection, std::string_view table, std::string_view text) {
  std::string sql = "SELECT id FROM " + appdb::quoted(table) + " WHERE ";
  std::optional<Row> row;
  bool digits = !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) row = connection.query_one(sql + "id = ?", {std::int64_t(std::stoll(std::string(text)))});
  else if (is_entity_id(text)) row = connection.query_one(sql + "entity_id = ?", {text});
  if (!row) throw not_found();
  return row->integer("id");
}

std::int64_t id_in_path(appdb::Store& store, std::string_view table, std::string_view text) {
  if (!text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string_view::npos) return std::stoll(std::string(text));
  return store.read([&](appdb::Connection& connection) { return object_id(connection, table, text); });
}

std::optional<CollectionId> collection_from(appdb::Connection& connection, const json::value& value) {
  if (value.is_null()) return std::nullopt;
  if (auto id = json::as_integer(value); id && *id > 0) return CollectionId(*id);
  if (auto* text = value.if_string()) {
    if (*text == "root") return std::nullopt;
    if (is_entity_id(*text)) return CollectionId(object_id(connection, "collection", *text));
  }
  throw bad_field("collection_id", "value must be an integer greater than zero, an entity id, or null.");
}

std::string person_columns(std::string_view alias) {
  std::string a(alias), out;
  for (auto column : {"id", "email", "first_name", "last_name"}) {
    if (!out.empty()) out += ", ";
    out += a + "." + column + " AS " + a + "_" + (std::string_view(column) == "id" ? "person_id" : column);
  }
  return out;
}

std::string common_name(const std::optional<std::string>& first, const std::optional<std::string>& last, const std::string& email) {
  std::string name = first.value_or("");
  if (last && !last->empty()) name += (name.empty() ? "" : " ") + *last;
  return name.empty() ? email : name;
}

json::value person_json(const Row& row, std::string_view alias) {
  std::string a(alias);
  if (row.is_null(a + "_person_id")) return nullptr;
  auto first = row.optional_text(a + "_first_name"), last = row.optional_text(a + "_last_name");
  const auto& email = row.text(a + "_email");
  return json::object{{"id", row.integer(a + "_person_id")}, {"email", email}, {"first_name", json::or_null(first)},
                      {"last_name", json::or_null(last)}, {"common_name", common_name(first, last, email)}};
}

json::value edit_json(const Row& row, std::string_view alias, std::string_view time_column) {
  auto person = person_json(row, alias);
  if (!person.is_object()) return nullptr;
  person.get_object().erase("common_name");
  person.get_object()["timestamp"] = text_or_null(row, time_column);
  return person;
}

json::value text_or_null(const Row& row, std::string_view column) { return json::or_null(row.optional_text(column)); }
json::value integer_or_null(const Row& row, std::string_view column) { return json::or_null(row.optional_integer(column)); }

json::value json_or(const Row& row, std::string_view column, json::value otherwise) {
  auto text = row.optional_text(column);
  if (!text) return otherwise;
  auto value = json::try_parse(*text);
  return value && !value->is_null() ? std::move(*value) : otherwise;
}
json::value array_or_empty(const Row& row, std::string_view column) {
  auto value = json_or(row, column, json::array());
  return value.is_array() ? value : json::value(json::array());
}
json::value object_or_empty(const Row& row, std::string_view column) {
  auto value = json_or(row, column, json::object());
  return value.is_object() ? value : json::value(json::object());
}

appdb::Parameters id_parameters(const std::vector<std::int64_t>& ids) {
  appdb::Parameters parameters;
  append(parameters, ids);
  return parameters;
}
void append(appdb::Parameters& parameters, const std::vector<std::int64_t>& ids) {
  for (auto id : ids) parameters.emplace_back(id);
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string contains_pattern(std::string_view text) {
  std::string out = "%";
  for (char c : text) {
    if (c == '%' || c == '_' || c == '\\') out += '\\';
    out += c;
  }
  return out + "%";
}

std::string lower_utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto lead = static_cast<unsigned char>(text[i]);
    bool two_bytes = lead >= 0xC2 && lead <= 0xDF && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80;
    if (!two_bytes) { out += lead >= 'A' && lead <= 'Z' ? static_cast<char>(lead + 32) : text[i]; continue; }
    unsigned code = ((lead & 0x1Fu) << 6) | (static_cast<unsigned char>(text[++i]) & 0x3Fu);
    if ((code >= 0xC0 && code <= 0xDE && code != 0xD7) || (code >= 0x391 && code <= 0x3A9) || (code >= 0x410 && code <= 0x42F)) code += 32;
    else if (code >= 0x400 && code <= 0x40F) code += 80;
    else if ((code >= 0x100 && code <= 0x137 && code != 0x130) || (code >= 0x14A && code <= 0x177) || (code >= 0x460 && code <= 0x4BF && code != 0x482)) code |= 1;
    else if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17E)) code += code & 1;
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

std::string slug_of(std::string_view name) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : lower_utf8(name)) {
    if (out.size() > 500) break;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += static_cast<char>(c);
    else if (c < 0x80) out += '_';
    else { out += '%'; out += digits[c >> 4]; out += digits[c & 15]; }
  }
  return out;
}

const char* object_name(const json::value& value) {
  if (auto* sentence = not_blank(value)) return sentence;
  return value.get_string().size() <= 254 ? nullptr : "value must be at most 254 characters long.";
}
const char* description_text(const json::value& value) { return not_blank(value); }

void refuse(std::string sentence) { throw Failure(FailureKind::BadRequest, std::move(sentence)); }

}  // namespace basalt::features
