#include "features/settings/settings.h"

#include "base/failure.h"
#include "base/log.h"

namespace basalt::features {
namespace {

constexpr auto known_for = std::chrono::seconds(5);

// Environment variables are texts: "false" for a setting that is a flag means false.
json::value as_type_of(const json::value& like, const json::value& given) {
  auto* text = given.if_string();
  if (!text || like.is_string() || like.is_null()) return given;
  if (like.is_bool()) {
    if (*text == "true" || *text == "1" || *text == "yes") return true;
    if (*text == "false" || *text == "0" || *text == "no") return false;
    return given;
  }
  auto parsed = json::try_parse(*text);
  return parsed ? *parsed : given;
}

const char* type_problem(const json::value& like, const json::value& given) {
  if (like.is_bool() && !given.is_bool()) return "value must be true or false.";
  if (like.is_number() && !given.is_number()) return "value must be a number.";
  if (like.is_string() && !given.is_string()) return "value must be a string.";
  if (like.is_object() && !given.is_object()) return "value must be a map.";
  return nullptr;
}

std::string masked(const std::string& secret) {
  return "**********" + (secret.size() >= 8 ? secret.substr(secret.size() - 2) : std::string());
}

const SettingDefinition& known(std::string_view key) {
  auto* definition = Settings::definition(key);
  if (!definition) throw Failure(FailureKind::NotFound, "There is no setting " + std::string(key.substr(0, 80)) + ".");
  return *definition;
}

}  // namespace

Settings::Settings(appdb::Store& store, std::map<std::string, Fixed> fixed, std::function<std::string(const std::string&)> seal,
                   std::function<std::string(const std::string&)> open)
    : store_(store),
      fixed_([&] {
        for (auto& [key, one] : fixed) {
          if (auto* definition = Settings::definition(key)) one.value = as_type_of(definition->default_value, one.value);
        }
        return std::move(fixed);
      }()),
      seal_(std::move(seal)), open_(std::move(open)) {}

std::optional<json::value> Settings::stored(std::string_view key) {
  std::lock_guard lock(mutex_);
  auto now = std::chrono::steady_clock::now();
  if (!read_at_ || now - *read_at_ > known_for) {
    std::map<std::string, json::value, std::less<>> read;
    store_.read([&](appdb::Connection& connection) {
      connection.each("SELECT key, value FROM setting", {}, [&](const appdb::Row& row) {
        auto text = row.optional_text("value");
        if (!text) return;
        auto name = row.text("key");
        auto* definition = Settings::definition(name);
        try {
          auto value = json::try_parse(definition && definition->secret ? open_(*text) : *text);
          if (value && !value->is_null()) read[name] = *value;
        } catch (const Failure& failure) {
          // A secret under another key must not take the other settings with it.
          log::warning("setting cannot be read", {{"key", name}, {"sentence", failure.sentence()}});
        }
      });
    });
    cache_ = std::move(read);
    read_at_ = now;
  }
  auto found = cache_.find(key);
  return found == cache_.end() ? std::nullopt : std::optional(found->second);
}

json::value Settings::value(std::string_view key) {
  auto& definition = known(key);
  if (auto fixed = fixed_.find(definition.key); fixed != fixed_.end()) return fixed->second.value;
  if (auto value = stored(key)) return *value;
  return definition.default_value;
}

std::string Settings::text(std::string_view key) {
  auto found = value(key);
  if (found.is_null()) return "";
  return found.is_string() ? std::string(found.get_string()) : json::write(found);
}

std::int64_t Settings::integer(std::string_view key) { return json::as_integer(value(key)).value_or(0); }

bool Settings::flag(std::string_view key) {
  auto found = value(key);
  return found.is_bool() && found.get_bool();
}

bool Settings::is_default(std::string_view key) {
  auto& definition = known(key);
  return !fixed_.contains(definition.key) && !stored(key);
}

std::optional<std::string> Settings::fixed_by(std::string_view key) const {
  auto found = fixed_.find(std::string(key));
  return found == fixed_.end() ? std::nullopt : std::optional(found->second.variable);
}

json::value Settings::shown(const SettingDefinition& definition) {
  auto found = value(definition.key);
  if (!definition.secret || !definition.masked || found.is_null()) return found;
  return json::value(masked(found.is_string() ? std::string(found.get_string()) : json::write(found)));
}

std::optional<json::value> Settings::accepted(const SettingDefinition& definition, json::value value) {
  if (auto variable = fixed_by(definition.key)) {
    throw Failure(FailureKind::BadRequest, definition.key + " is set by " + *variable + ". Change it there and restart.");
  }
  if (value.is_null()) return value;
  value = as_type_of(definition.default_value, value);
  if (auto* sentence = type_problem(definition.default_value, value)) throw bad_field(definition.key, sentence);
  if (auto* sentence = definition.check ? definition.check(value) : nullptr) {
    // Clearing a field of a form sends an empty text: back to the default.
    if (value.is_string() && value.get_string().empty()) return json::value(nullptr);
    throw bad_field(definition.key, sentence);
  }
  if (json::write(value).size() > 100'000) throw bad_field(definition.key, "value is too long.");
  if (definition.secret && definition.masked && value.is_string() && value == shown(definition)) return std::nullopt;
  if (definition.key == "site-url") {
    std::string url(value.get_string());
    while (url.ends_with('/')) url.pop_back();
    return json::value(url);
  }
  return value;
}

void Settings::change(std::string_view key, const json::value& value) { change(json::object{{key, value}}); }

void Settings::change(const json::object& values) {
  std::vector<std::pair<const SettingDefinition*, json::value>> changes;
  for (auto& [key, wanted] : values) {
    auto& definition = known(key);
    if (auto value = accepted(definition, wanted)) changes.emplace_back(&definition, std::move(*value));
  }
  if (changes.empty()) return;
  store_.write([&](appdb::Connection& connection) {
    for (auto& [definition, value] : changes) {
      if (value.is_null()) {
        connection.execute("DELETE FROM setting WHERE key = ?", {definition->key});
        continue;
      }
      auto text = json::write(value);
      if (definition->secret) text = seal_(text);
      auto now = system_clock().now();
      if (connection.update("setting", {{"value", text}, {"updated_at", now}}, "key", definition->key) > 0) continue;
      connection.insert("setting", {{"key", definition->key}, {"value", text}, {"updated_at", now}}, appdb::Connection::HasId::No);
    }
  });
  reload();
}

void Settings::reload() {
  std::lock_guard lock(mutex_);
  read_at_.reset();
}

}  // namespace basalt::features
