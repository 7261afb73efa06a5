#include "commands/reference.h"

#include <CLI/CLI.hpp>

#include "commands/opened.h"

namespace basalt::commands {
namespace {

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

std::string path_of(const CLI::App& app) { return app.get_parent() ? path_of(*app.get_parent()) + " " + app.get_name() : "basalt"; }

// Depth first, each command after its group; those that help hides stay hidden.
template <class Visit>
void each_command(const CLI::App& app, const Visit& visit) {
  for (auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_group().empty()) continue;
    visit(*sub);
    each_command(*sub, visit);
  }
}

struct Own {
  std::string usage, description;
  bool is_word, is_required;
};

// The options and words of a command that are not configuration.
std::vector<Own> own_options(const CLI::App& app, bool& takes_configuration) {
  std::vector<Own> out;
  for (auto* option : app.get_options()) {
    if (option->get_name() == "--help" || option->check_name("--help")) continue;
    // Hidden ones of a command that only finds the data are configuration too; `serve` shows them all.
    bool configuration = option->get_group().starts_with(configuration_group);
    for (auto& definition : startup::option_definitions()) configuration = configuration || option->check_lname(definition.name);
    if (configuration) takes_configuration = true;
    if (configuration || option->get_group().empty()) continue;
    auto type = option->get_type_name();
    type.erase(std::min(type.find(':'), type.size()));  // "SECONDS:INT in [1 - 600]"
    bool word = option->get_positional();
    auto name = word ? option->get_name(true) : "--" + option->get_lnames().front();
    if (word) for (auto& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    else if (option->get_items_expected_max() > 0) name += " " + (type.empty() || type == "TEXT" ? std::string(option->get_lnames().front().ends_with("file") ? "FILE" : "…") : type);
    out.push_back({name, option->get_description(), word, option->get_required()});
  }
  return out;
}

std::vector<std::string> variables_of(const startup::OptionDefinition& option) {
  auto out = option.other_names;
  out.insert(out.begin(), startup::variable_of(option.name));
  return out;
}

// Settings of the web app that can be fixed from outside; what only the server itself writes is left out.
std::vector<const features::SettingDefinition*> fixable_settings() {
  std::vector<const features::SettingDefinition*> out;
  for (auto& setting : features::Settings::definitions())
    if (setting.reader != features::SettingReader::Nobody && setting.key != "version-info" && setting.key != "instance-creation" && setting.key != "premium-embedding-token") out.push_back(&setting);
  return out;
}

std::string shown_default(const json::value& value) {
  if (value.is_null() || (value.is_string() && value.as_string().empty())) return "";
  return value.is_string() ? std::string(value.as_string()) : json::write(value);
}

}  // namespace

std::string configuration_text() {
  std::vector<std::vector<std::string>> rows;
  for (auto& option : startup::option_definitions()) {
    std::string names;
    for (auto& name : variables_of(option)) names += (names.empty() ? "" : ", ") + name;
    rows.push_back({"--" + option.name, option.default_text, names});
    rows.push_back({"    " + option.description});
  }
  // Descriptions must not widen the first column.
  std::vector<std::vector<std::string>> heads;
  for (auto& row : rows) if (row.size() > 1) heads.push_back(row);
  auto lines = columns(heads, {}, 0);
  std::string out;
  std::size_t at = 0, next = 1;
  while (at < lines.size()) {
    auto end = lines.find('\n', at);
    out += lines.substr(at, end - at + 1) + rows[next][0] + "\n";
    at = end + 1;
    next += 2;
  }
  return out;
}

std::string configuration_markdown() {
  std::string out = "| option | environment | default | meaning |\n|---|---|---|---|\n";
  for (auto& option : startup::option_definitions()) {
    std::string names;
    for (auto& name : variables_of(option)) names += (names.empty() ? "`" : ", `") + name + "`";
    auto shown = !option.default_words.empty() ? option.default_words : option.default_text.empty() ? "" : "`" + option.default_text + "`";
    out += "| `" + option.name + "` | " + names + " | " + cell(shown) + " | " + cell(option.description) + (option.secret ? " Secret." : "") + " |\n";
  }
  out += "\n## Settings\n\nWhat administrators change in the web app. Given from outside, as a variable or below `settings:` in the file, a setting is fixed and shows as locked.\n\n"
         "| setting | environment | default | meaning |\n|---|---|---|---|\n";
  for (auto* setting : fixable_settings()) {
    auto variable = startup::variable_of(setting->key);
    auto shown = shown_default(setting->default_value);
    out += "| `" + setting->key + "` | `" + variable + "`, `MB_" + variable.substr(7) + "` | " + cell(shown.empty() ? "" : "`" + shown + "`") + " | " + cell(setting->description) + (setting->secret ? " Secret." : "") + " |\n";
  }
  return out;
}

json::value configuration_json() {
  json::array options, settings;
  for (auto& option : startup::option_definitions()) {
    json::array names;
    for (auto& name : variables_of(option)) names.push_back(json::value(name));
    options.push_back(json::object{{"option", option.name}, {"environment", std::move(names)}, {"default", option.default_text}, {"meaning", option.description}, {"secret", option.secret}});
  }
  for (auto* setting : fixable_settings()) {
    auto variable = startup::variable_of(setting->key);
    settings.push_back(json::object{{"setting", setting->key}, {"environment", json::array{json::value(variable), json::value("MB_" + variable.substr(7))}}, {"default", setting->default_value}, {"meaning", setting->description}, {"secret", setting->secret}});
  }
  return json::object{{"options", std::move(options)}, {"settings", std::move(settings)}};
}

std::string commands_text(const CLI::App& app) {
  std::vector<std::vector<std::string>> rows;
  each_command(app, [&](const CLI::App& one) { rows.push_back({path_of(one), one.get_description()}); });
  return columns(rows, {}, 0);
}

std::string commands_markdown(const CLI::App& app) {
  std::string out;
  each_command(app, [&](const CLI::App& one) {
    bool configuration = false;
    auto own = own_options(one, configuration);
    out += std::string(one.get_parent() && one.get_parent()->get_parent() ? "### " : "## ") + path_of(one) + "\n\n" + one.get_description() + "\n\n";
    if (one.get_require_subcommand_min() > 0) return;  // only a group of commands
    out += "    " + path_of(one);
    for (auto& option : own) out += (option.is_word && option.is_required ? " " : " [") + option.usage + (option.is_word && option.is_required ? "" : "]");
    if (configuration) out += " [configuration]";
    out += "\n\n";
    if (!own.empty()) {
      out += "| option | meaning |\n|---|---|\n";
      for (auto& option : own) out += "| `" + cell(option.usage) + "` | " + cell(option.description) + " |\n";
      out += "\n";
    }
    if (auto footer = one.get_footer(); !footer.empty()) out += footer + "\n\n";
  });
  if (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace basalt::commands
