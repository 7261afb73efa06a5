// What the server runs with, and where each value came from: flags, environment, a YAML file, defaults, in that order.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "appdb/store.h"
#include "base/log.h"
#include "features/settings/settings.h"
#include "http/server.h"

namespace basalt::startup {

// One option: its flag, the environment names that set it (ours first, then the ones that people already have), and what it means.
struct OptionDefinition {
  std::string name;                        // "port": flag --port, key in the YAML file, BASALT_PORT
  std::vector<std::string> other_names;    // "MB_JETTY_PORT", …
  std::string default_text;
  std::string description;
  bool secret = false;
  std::string default_words;               // where the default depends on the host: what the documentation says of it
};
// "BASALT_DATA_DIR" for "data-dir".
std::string variable_of(const std::string& option);
const std::vector<OptionDefinition>& option_definitions();

// Reads variables: the process environment, or a map in tests.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

struct Config {
  struct Entry { std::string value, source; };             // source: "flag --port", "environment MB_JETTY_PORT", "file …", "default"
  std::map<std::string, Entry> entries;                    // by option name
  std::vector<std::string> warnings;                       // unknown BASALT_* names, unusable values that were ignored
  std::map<std::string, features::Settings::Fixed> fixed_settings;  // settings set from outside
  std::map<std::string, std::string> flags;                // as given

  const std::string& text(const std::string& option) const;
  std::int64_t integer(const std::string& option) const;
  bool flag(const std::string& option) const;

  std::string data_directory() const;
  std::string versions_directory() const;  // of the launcher and the upgrades
  appdb::StoreOptions store_options() const;
  http::ServerOptions server_options() const;
};

// `flags`: option name to text, as given on the command line. Throws Failure BadRequest in one sentence: a value that is no
// port, an engine that is not supported ("mysql": …), a file that cannot be read.
Config read_config(const std::map<std::string, std::string>& flags, const Environment& environment);

// The log as the options log-level and log-format say; Failure BadRequest when there is no such level.
void set_up_log(const Config& config);

// For `doctor`: every option with its value and source, secrets masked.
std::string describe(const Config& config);

// What a file with one secret holds, without the line break that editors leave. `named_by`: who named it, for the sentence.
std::string secret_in_file(const std::string& path, const std::string& named_by);

// "jdbc:postgresql://host/db?user=u&password=p" or "postgres://…" to the URI libpq takes. Other engines are refused with a sentence.
std::string postgres_uri(const std::string& connection_uri);

}  // namespace basalt::startup
