// What is fetched from elsewhere: http://, https://, file:// and plain paths. Everything blocks up to its limits, so never on a
// thread that answers requests. Failures are Failure Unavailable (Timeout when the time is over, Cancelled when told to stop),
// one sentence each, without the query string or user of an address.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

namespace basalt::client {

struct Limits {
  std::chrono::milliseconds patience{10'000};  // for all of it, redirections included
  std::int64_t most_bytes = 1 << 20;           // of the body
  int most_redirects = 4;
  std::string ca_file;                         // PEM certificates that are trusted besides the system's; empty: only those
  std::stop_token stop;                        // looked at every 100 ms
};

struct Request {
  std::string url;
  std::string method = "GET";
  std::map<std::string, std::string> headers;  // "X-Api-Key": "…"; never sent on to another host by a redirection
  std::string body;                            // sent as application/json unless `headers` has a Content-Type
};

struct Answer {
  unsigned status = 0;                         // a file: 200, or 404 when it is not there
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
  bool is_good() const { return status >= 200 && status < 300; }
};

// Asks and follows redirections (GET only; an encrypted address never leads to one that is not). Any status is an answer; only
// what never came is a Failure.
Answer fetch(const Request& request, const Limits& limits = {});
// The body of a 200; every other status is a Failure that names it. Absent for 404 and 410.
std::optional<std::string> fetch_text(const std::string& url, const Limits& limits = {});
// POSTs JSON text.
Answer post_json(const std::string& url, const std::string& body, const std::map<std::string, std::string>& headers = {}, const Limits& limits = {});

struct Downloaded {
  std::int64_t bytes = 0;
  std::string sha256;  // hex, of what is in the file
};
// `done` of `expected` bytes so far; expected is -1 when the server does not say.
using Told = std::function<void(std::int64_t done, std::int64_t expected)>;

// Streams the body of a 200 into a new file at `path` (which must not exist; 0600, synced to the disk). On any Failure the file
// is gone again.
Downloaded download(const std::string& url, const std::filesystem::path& path, const Limits& limits, const Told& told = {});

bool is_network(const std::string& url);  // http:// or https://
// `name` beside `base`: "https://host/releases/" or "…/releases.json" and "root.json" give "https://host/releases/root.json". A
// base that is a folder may stand without its slash. `name` is a plain file name.
std::string beside(const std::string& base, const std::string& name);

}  // namespace basalt::client
