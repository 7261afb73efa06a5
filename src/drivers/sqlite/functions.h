// What SQLite itself lacks, as functions of a connection: medians, patterns, parts of texts and of addresses, time zones.
//   percentile_cont(x, p)           aggregate: the continuous percentile, p from 0 to 1; numbers only, nulls left out
//   var_pop(x), stddev_pop(x)       aggregates, of the whole group
//   regexp_substr(text, pattern)    the first match, or null (RE2: linear time, so no pattern can hang the server)
//   x REGEXP pattern                1 when it matches somewhere
//   split_part(text, mark, n)       the n-th part from 1, empty when there is none
//   url_host(x), url_domain(x), url_subdomain(x), url_path(x)    of an address of the web or of mail
//   convert_zone(t, to, from)       the wall-clock time t of the zone `from`, as clocks in `to` show it
//   try_integer(x), try_real(x)     of a text that is a number, else null
#pragma once

struct sqlite3;

namespace basalt::drivers {

// Throws Failure Database when SQLite refuses one of them. They live as long as the connection.
void register_functions(sqlite3* database);

}  // namespace basalt::drivers
