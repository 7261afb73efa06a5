// What names of columns tell: a readable name and a likely meaning.
#include <cctype>

#include "features/databases/sync.h"

namespace basalt::features {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool ends_with_word(std::string_view name, std::string_view word) {
  if (name == word) return true;
  return name.size() > word.size() && name.ends_with(word) && name[name.size() - word.size() - 1] == '_';
}

}  // namespace

std::string humanize(std::string_view name) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    unsigned char c = static_cast<unsigned char>(name[i]);
    if (c == '_' || c == '-' || c == ' ' || c == '.') {
      if (!words.back().empty()) words.emplace_back();
      continue;
    }
    bool camel = i > 0 && std::isupper(c) && std::islower(static_cast<unsigned char>(name[i - 1]));
    if (camel && !words.back().empty()) words.emplace_back();
    words.back() += static_cast<char>(c);
  }
  if (words.back().empty()) words.pop_back();
  std::string out;
  for (auto& word : words) {
    auto small = lower(word);
    if (!out.empty()) out += ' ';
    if (is_one_of(small, {"id", "url", "ip", "uuid", "ean", "sku", "vat", "api", "utc", "zip"}) && small != "zip") {
      for (auto& c : small) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    } else if (!small.empty()) {
      small[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(small[0])));
    }
    out += small;
  }
  return out.empty() ? std::string(name) : out;
}

std::optional<std::string> guess_semantic_type(std::string_view column_name, std::string_view base_type) {
  auto name = lower(column_name);
  bool is_text = base_type == "type/Text" || base_type == "type/TextLike" || base_type == "type/PostgresEnum";
  bool is_number = is_one_of(base_type, {"type/Integer", "type/BigInteger", "type/Float", "type/Decimal", "type/Number"});
  bool is_date = base_type == "type/Date";
  bool is_instant = is_one_of(base_type, {"type/DateTime", "type/DateTimeWithTZ", "type/DateTimeWithLocalTZ"});
  if (base_type == "type/Boolean") return "type/Category";
  if (base_type == "type/JSON") return "type/SerializedJSON";
  if (is_text || is_number) {
    if (is_one_of(name, {"zip", "zipcode", "zip_code", "postal_code", "postcode"})) return "type/ZipCode";
  }
  if (is_text) {
    if (ends_with_word(name, "email") || name == "e_mail") return "type/Email";
    if (ends_with_word(name, "city") || name == "town") return "type/City";
    if (ends_with_word(name, "state") || name == "province") return "type/State";
    if (ends_with_word(name, "country")) return "type/Country";
    if (ends_with_word(name, "url") || name == "website" || name == "link") return "type/URL";
    if (is_one_of(name, {"name", "full_name", "first_name", "last_name", "fullname", "display_name"})) return "type/Name";
    if (ends_with_word(name, "title")) return "type/Title";
    if (is_one_of(name, {"description", "body", "notes", "comment", "comments", "summary"})) return "type/Description";
    if (ends_with_word(name, "category") || is_one_of(name, {"status", "type", "kind", "gender", "segment"})) return "type/Category";
    if (name == "source" || name == "channel") return "type/Source";
    if (is_one_of(name, {"vendor", "company", "supplier"})) return "type/Company";
  }
  if (is_number) {
    if (is_one_of(name, {"latitude", "lat"})) return "type/Latitude";
    if (is_one_of(name, {"longitude", "lon", "lng", "long"})) return "type/Longitude";
    if (ends_with_word(name, "quantity") || name == "qty") return "type/Quantity";
    if (ends_with_word(name, "rating") || ends_with_word(name, "score")) return "type/Score";
    if (ends_with_word(name, "discount")) return "type/Discount";
  }
  if (is_date || is_instant) {
    if (is_one_of(name, {"created_at", "created", "creation_date", "date_created", "createdat", "created_on"})) return is_date ? "type/CreationDate" : "type/CreationTimestamp";
    if (is_one_of(name, {"updated_at", "updated", "modified_at", "updatedat", "last_modified"})) return is_date ? "type/UpdatedDate" : "type/UpdatedTimestamp";
    if (is_one_of(name, {"birth_date", "birthdate", "birthday", "date_of_birth"})) return "type/Birthdate";
    if (is_one_of(name, {"joined_at", "joined", "signed_up_at", "registered_at"})) return is_date ? "type/JoinDate" : "type/JoinTimestamp";
  }
  return std::nullopt;
}

}  // namespace basalt::features
