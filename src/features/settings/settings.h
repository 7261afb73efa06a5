// Settings: a table of known ones (type, default, who may read, environment name) and their values in force.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "appdb/store.h"
#include "base/json.h"

namespace basalt::features {

enum class SettingReader { Public, SignedIn, Administrator, Nobody };  // Nobody: only the server itself

struct SettingDefinition {
  std::string key;                       // "site-name", as the API knows it
  std::string description;
  json::value default_value = nullptr;
  SettingReader reader = SettingReader::Administrator;
  bool secret = false;                   // sealed at rest, answered masked
  bool masked = true;                    // of secrets: false when administrators must see it whole
  const char* (*check)(const json::value&) = nullptr;  // sentence when a new value is wrong
};

class Settings {
 public:
  // `environment`: values fixed from outside (MB_SITE_NAME, BASALT_SITE_NAME, config file): they win and cannot be changed.
  // `seal` / `open`: encryption of secrets, identity when no key is given.
  struct Fixed { json::value value; std::string variable; };
  Settings(appdb::Store& store, std::map<std::string, Fixed> fixed, std::function<std::string(const std::string&)> seal,
           std::function<std::string(const std::string&)> open);

  static const std::vector<SettingDefinition>& definitions();       // sorted by key
  static const SettingDefinition* definition(std::string_view key);

  json::value value(std::string_view key);        // in force: fixed, stored, default; read through a cache (other nodes: 5 s)
  std::string text(std::string_view key);         // empty when null
  std::int64_t integer(std::string_view key);
  bool flag(std::string_view key);
  bool is_default(std::string_view key);
  std::optional<std::string> fixed_by(std::string_view key) const;  // the variable's name
  // What administrators see: secrets as "**********" and their last two characters.
  json::value shown(const SettingDefinition& definition);
  // Throws Failure BadRequest (unknown key, wrong value, fixed by its variable). null resets to the default; a secret that
  // comes back masked stays as it is.
  void change(std::string_view key, const json::value& value);
  void change(const json::object& values);  // all of them or none
  void reload();

 private:
  std::optional<json::value> stored(std::string_view key);
  // The value as it will be kept (null: the default); absent when nothing changes. Throws as change() does.
  std::optional<json::value> accepted(const SettingDefinition& definition, json::value wanted);
  appdb::Store& store_;
  const std::map<std::string, Fixed> fixed_;
  std::function<std::string(const std::string&)> seal_, open_;
  std::mutex mutex_;
  std::map<std::string, json::value, std::less<>> cache_;   // GUARDED_BY(mutex_)
  std::optional<std::chrono::steady_clock::time_point> read_at_;  // GUARDED_BY(mutex_)
};

}  // namespace basalt::features
