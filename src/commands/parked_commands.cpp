// parked: values that an older schema could not hold.
#include <iostream>

#include "commands/opened.h"
#include "upgrade/parked.h"

namespace basalt::commands {
namespace {

std::string place_of(const upgrade::ParkedValue& value) { return value.column.empty() ? value.table : value.table + "." + value.column; }

// What is parked, in one short line.
std::string short_text(const json::value& value) {
  auto* inner = json::find(value, "value");
  for (auto* key : {"text", "patch", "row"}) if (!inner) inner = json::find(value, key);
  auto text = json::write(inner ? *inner : value);
  if (text.size() <= 60) return text;
  std::size_t end = 57;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // never in the middle of a character
  return text.substr(0, end) + "...";
}

}  // namespace

int parked_list(const Config& config, const Migrations& migrations, const Options& options) {
  Looking looking(config, migrations);
  auto page = looking.store->read([&](appdb::Connection& c) {
    return upgrade::parked_page(c, {options.table, options.state, static_cast<std::size_t>(std::clamp<std::int64_t>(options.limit, 1, 100'000)), 0});
  });
  if (options.json) {
    json::array out;
    for (auto& value : page.values) out.push_back(value.to_json());
    print(json::value(std::move(out)));
    return done;
  }
  if (page.values.empty()) std::cout << (options.table.empty() && options.state.empty() ? "Nothing is parked.\n" : "Nothing like that is parked.\n");
  std::vector<std::vector<std::string>> rows;
  if (!page.values.empty()) rows.push_back({"id", "state", "of", "parked at", "value"});
  for (auto& value : page.values) rows.push_back({std::to_string(value.id), value.state, place_of(value), moment(value.parked_at), short_text(value.value)});
  std::cout << columns(rows, {0}, 0);
  auto more = page.total - static_cast<std::int64_t>(page.values.size());
  if (more > 0) std::cout << "and " << grouped(more) << " more; --limit shows them, --table and --state pick some.\n";
  return done;
}

int parked_show(const Config& config, const Migrations& migrations, const Options& options) {
  Looking looking(config, migrations);
  auto value = upgrade::parked_show(looking.context, options.id);
  if (options.json) {
    print(json::value(value.to_json()));
    return done;
  }
  std::cout << columns({{"id", std::to_string(value.id)}, {"of", place_of(value)}, {"row", value.row}, {"state", value.state}, {"since", moment(value.parked_at) + ", when migration " + std::to_string(value.migration) + " was undone or done"}}, {}, 0);
  std::cout << "value\n" << json::write_pretty(value.value) << "\n";
  if (!value.shown.is_null()) std::cout << "shown instead\n" << json::write_pretty(value.shown) << "\n";
  if (value.state != "returned" && value.state != "taken" && !value.column.empty()) std::cout << "\nbasalt parked take " << value.id << " writes it over what is there now.\n";
  return done;
}

int parked_take(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    auto taken = upgrade::parked_take(opened.context, options.id);
    if (options.json) print(json::value(taken.to_json()));
    else std::cout << "The parked value is in " << place_of(taken) << " again. `basalt parked untake " << taken.id << "` takes that back.\n";
    return done;
  });
}

int parked_untake(const Config& config, const Migrations& migrations, const Options& options) {
  return changing([&] {
    Opened opened(config, migrations);
    auto value = upgrade::parked_untake(opened.context, options.id);
    if (options.json) print(json::value(value.to_json()));
    else std::cout << "What was in " << place_of(value) << " before is there again, and the value is parked as before.\n";
    return done;
  });
}

}  // namespace basalt::commands
