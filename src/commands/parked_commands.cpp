// parked: values that an older schema could not hold.
#include <iostream>

#include "commands/opened.h"

namespace basalt::commands {

int parked_list(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto all = upgrade::parked_list(opened.context);
  if (options.json) {
    json::array out;
    for (auto& value : all) out.push_back(value.to_json());
    std::cout << json::write_pretty(out) << "\n";
    return done;
  }
  if (all.empty()) std::cout << "Nothing is parked.\n";
  for (auto& value : all) {
    auto text = json::write(value.value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    std::cout << value.id << "  " << value.state << "  " << value.table << (value.column.empty() ? "" : "." + value.column) << "  " << value.parked_at << "  " << text << "\n";
  }
  return done;
}

int parked_show(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  std::cout << json::write_pretty(upgrade::parked_show(opened.context, options.id).to_json()) << "\n";
  return done;
}

int parked_take(const Config& config, const Migrations& migrations, const Options& options) {
  Opened opened(config, migrations);
  auto taken = upgrade::parked_take(opened.context, options.id);
  if (options.json) std::cout << json::write_pretty(taken.to_json()) << "\n";
  else std::cout << "The parked value is in " << taken.table << "." << taken.column << " again.\n";
  return done;
}

}  // namespace basalt::commands
