#include "drivers/sqlite/functions.h"

#include <re2/re2.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <new>

#include "base/failure.h"
#include "query/moments.h"

namespace basalt::drivers {
namespace {

constexpr std::size_t most_values = 20'000'000;  // of one group of percentile_cont: 160 MB

std::string_view text_of(sqlite3_value* value) {
  auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string_view();
}
bool is_null(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; }
bool is_number(sqlite3_value* value) {
  int type = sqlite3_value_numeric_type(value);
  return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}
void give(sqlite3_context* context, std::string_view text) { sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8); }
void fail(sqlite3_context* context, const std::string& sentence) { sqlite3_result_error(context, sentence.data(), static_cast<int>(sentence.size())); }

// C++ behind a C function: an exception must not pass through SQLite.
template <auto work> void guarded(sqlite3_context* context, int count, sqlite3_value** values) noexcept {
  try {
    work(context, count, values);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const std::exception& error) {
    fail(context, error.what());
  }
}
template <auto work> void guarded_end(sqlite3_context* context) noexcept {
  try {
    work(context);
  } catch (const std::exception& error) {
    fail(context, error.what());
  }
}

// The state of an aggregate's group: SQLite keeps the pointer, we the object. nullptr at the end: no rows at all.
template <class State> State* state_of(sqlite3_context* context, bool make) {
  auto** kept = static_cast<State**>(sqlite3_aggregate_context(context, make ? sizeof(State*) : 0));
  if (!kept) return nullptr;
  if (!*kept && make) *kept = new State;
  return *kept;
}

struct Percentile {
  std::vector<double> values;
  double fraction = 0.5;
};
void percentile_step(sqlite3_context* context, int, sqlite3_value** values) {
  auto* state = state_of<Percentile>(context, true);
  if (!state) throw std::bad_alloc();
  if (is_null(values[0])) return;
  if (!is_number(values[0])) return fail(context, "percentile_cont takes numbers");
  state->fraction = sqlite3_value_double(values[1]);
  if (!(state->fraction >= 0 && state->fraction <= 1)) return fail(context, "the fraction of percentile_cont is a number from 0 to 1");
  if (state->values.size() >= most_values) return fail(context, "percentile_cont: more than 20 million values in one group");
  state->values.push_back(sqlite3_value_double(values[0]));
}
void percentile_end(sqlite3_context* context) {
  std::unique_ptr<Percentile> state(state_of<Percentile>(context, false));
  if (!state || state->values.empty()) return sqlite3_result_null(context);
  auto& v = state->values;
  double at = state->fraction * static_cast<double>(v.size() - 1);
  auto low = static_cast<std::size_t>(at);
  auto nth = v.begin() + static_cast<std::ptrdiff_t>(low);
  std::nth_element(v.begin(), nth, v.end());
  double result = *nth;
  if (at > static_cast<double>(low)) result += (at - static_cast<double>(low)) * (*std::min_element(nth + 1, v.end()) - result);
  sqlite3_result_double(context, result);
}

// Welford's way: no difference of large sums.
struct Spread {
  std::int64_t count = 0;
  double mean = 0, squares = 0;
};
void spread_step(sqlite3_context* context, int, sqlite3_value** values) {
  auto* state = state_of<Spread>(context, true);
  if (!state) throw std::bad_alloc();
  if (is_null(values[0])) return;
  if (!is_number(values[0])) return fail(context, "var_pop and stddev_pop take numbers");
  double x = sqlite3_value_double(values[0]), before = x - state->mean;
  state->mean += before / static_cast<double>(++state->count);
  state->squares += before * (x - state->mean);
}
template <bool root> void spread_end(sqlite3_context* context) {
  std::unique_ptr<Spread> state(state_of<Spread>(context, false));
  if (!state || !state->count) return sqlite3_result_null(context);
  double variance = state->squares / static_cast<double>(state->count);
  sqlite3_result_double(context, root ? std::sqrt(variance) : variance);
}

// The compiled pattern stays with the statement as long as the argument is the same constant.
const re2::RE2* pattern_of(sqlite3_context* context, sqlite3_value** values, int index) {
  auto* kept = static_cast<const re2::RE2*>(sqlite3_get_auxdata(context, index));
  auto text = text_of(values[index]);
  if (kept && kept->pattern() == text) return kept;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto made = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!made->ok()) {
    fail(context, "\"" + std::string(text.substr(0, 60)) + "\" is no pattern: " + made->error());
    return nullptr;
  }
  auto* raw = made.release();
  sqlite3_set_auxdata(context, index, raw, [](void* pattern) { delete static_cast<re2::RE2*>(pattern); });
  // Where SQLite could not keep it, it has been deleted.
  return static_cast<const re2::RE2*>(sqlite3_get_auxdata(context, index));
}
void regexp_substr(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0]) || is_null(values[1])) return sqlite3_result_null(context);
  auto* pattern = pattern_of(context, values, 1);
  if (!pattern) return;
  auto text = text_of(values[0]);
  re2::StringPiece found;
  if (!pattern->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::UNANCHORED, &found, 1)) return sqlite3_result_null(context);
  give(context, {found.data(), found.size()});
}
void regexp(sqlite3_context* context, int, sqlite3_value** values) {  // x REGEXP y is regexp(y, x)
  if (is_null(values[0]) || is_null(values[1])) return sqlite3_result_null(context);
  auto* pattern = pattern_of(context, values, 0);
  if (!pattern) return;
  auto text = text_of(values[1]);
  sqlite3_result_int(context, re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern));
}

void split_part(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0]) || is_null(values[1]) || is_null(values[2])) return sqlite3_result_null(context);
  auto text = text_of(values[0]), mark = text_of(values[1]);
  auto wanted = sqlite3_value_int64(values[2]);
  if (wanted < 1) return fail(context, "the parts of split_part are counted from 1");
  if (mark.empty()) return give(context, wanted == 1 ? text : "");
  for (std::int64_t n = 1;; ++n) {
    auto end = text.find(mark);
    if (n == wanted) return give(context, text.substr(0, end));
    if (end == std::string_view::npos) return give(context, "");
    text.remove_prefix(end + mark.size());
  }
}

// As the patterns of sql/dialects/urls.h do, which says what the parts are.
struct Address { std::string_view host, path; };
Address address_of(std::string_view url) {
  if (auto scheme = url.find("://"); scheme != std::string_view::npos && url.find_first_of("/?#@") > scheme) url.remove_prefix(scheme + 3);
  auto end = url.find_first_of("/?#");
  auto host = url.substr(0, end);
  if (auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  host = host.substr(0, host.find(':'));
  std::string_view path;
  if (end != std::string_view::npos && url[end] == '/') {
    path = url.substr(end);
    path = path.substr(0, path.find_first_of("?#"));
  }
  return {host, path};
}
// Where the domain's own name begins, and its ending: "mail.shop.co.uk" -> {5, 9}.
std::pair<std::size_t, std::size_t> name_and_ending(std::string_view host) {
  auto last = host.rfind('.');
  if (last == std::string_view::npos || last == 0) return {std::string_view::npos, 0};
  auto start_of = [&](std::size_t dot) {
    auto before = host.rfind('.', dot - 1);
    return before == std::string_view::npos ? 0 : before + 1;
  };
  auto start = start_of(last);
  static constexpr std::string_view second[] = {"com", "co", "net", "org", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "mil"};
  if (start > 1 && host.size() - last == 3 && std::find(std::begin(second), std::end(second), host.substr(start, last - start)) != std::end(second)) {
    last = start - 1;
    start = start_of(last);
  }
  return {start, last};
}
enum class Part { Host, Domain, Subdomain, Path };
template <Part part> void url_part(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0])) return sqlite3_result_null(context);
  auto address = address_of(text_of(values[0]));
  if (part == Part::Path) return address.path.empty() ? sqlite3_result_null(context) : give(context, address.path);
  std::string host(address.host);
  for (auto& c : host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  auto [start, ending] = name_and_ending(host);
  if (start == std::string::npos) return sqlite3_result_null(context);
  if (part == Part::Host) return give(context, std::string_view(host).substr(start));
  if (part == Part::Domain) return give(context, std::string_view(host).substr(start, ending - start));
  std::string_view before = start > 0 ? std::string_view(host).substr(0, start - 1) : std::string_view();
  if (before == "www") before = "";
  else if (before.starts_with("www.")) before.remove_prefix(4);
  give(context, before);
}

void convert_zone(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0]) || is_null(values[1]) || is_null(values[2])) return sqlite3_result_null(context);
  auto moment = query::parse_moment(text_of(values[0]));
  if (!moment || moment->kind == query::Moment::Kind::Time) return sqlite3_result_null(context);
  auto *to = query::Zone::find(text_of(values[1])), *from = query::Zone::find(text_of(values[2]));
  if (!to || !from) return fail(context, "convert_zone takes the names of time zones");
  auto instant = moment->offset ? Timestamp(moment->wall - *moment->offset) : from->instant(moment->wall);
  give(context, query::date_time_text(to->wall(instant)));
}

template <class Number> void try_number(sqlite3_context* context, int, sqlite3_value** values) {
  if (is_null(values[0])) return sqlite3_result_null(context);
  if (!is_number(values[0])) return sqlite3_result_null(context);
  if constexpr (std::is_same_v<Number, double>) sqlite3_result_double(context, sqlite3_value_double(values[0]));
  else sqlite3_result_int64(context, sqlite3_value_numeric_type(values[0]) == SQLITE_INTEGER ? sqlite3_value_int64(values[0]) : static_cast<std::int64_t>(std::llround(sqlite3_value_double(values[0]))));
}

using Work = void (*)(sqlite3_context*, int, sqlite3_value**);
struct Scalar { const char* name; int arguments; Work work; };
constexpr Scalar scalars[] = {
    {"regexp_substr", 2, guarded<regexp_substr>}, {"regexp", 2, guarded<regexp>}, {"split_part", 3, guarded<split_part>},
    {"url_host", 1, guarded<url_part<Part::Host>>}, {"url_domain", 1, guarded<url_part<Part::Domain>>},
    {"url_subdomain", 1, guarded<url_part<Part::Subdomain>>}, {"url_path", 1, guarded<url_part<Part::Path>>},
    {"convert_zone", 3, guarded<convert_zone>}, {"try_integer", 1, guarded<try_number<std::int64_t>>}, {"try_real", 1, guarded<try_number<double>>},
};
struct Aggregate { const char* name; int arguments; Work step; void (*end)(sqlite3_context*); };
constexpr Aggregate aggregates[] = {
    {"percentile_cont", 2, guarded<percentile_step>, guarded_end<percentile_end>},
    {"var_pop", 1, guarded<spread_step>, guarded_end<spread_end<false>>},
    {"stddev_pop", 1, guarded<spread_step>, guarded_end<spread_end<true>>},
};

}  // namespace

void register_functions(sqlite3* database) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  auto check = [&](int code) {
    if (code != SQLITE_OK) throw Failure(FailureKind::Database, sqlite3_errmsg(database));
  };
  for (auto& f : scalars) check(sqlite3_create_function_v2(database, f.name, f.arguments, flags, nullptr, f.work, nullptr, nullptr, nullptr));
  for (auto& f : aggregates) check(sqlite3_create_function_v2(database, f.name, f.arguments, flags, nullptr, nullptr, f.step, f.end, nullptr));
}

}  // namespace basalt::drivers
