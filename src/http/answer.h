// A Response as bytes on the wire: status line, standard headers, framing, compression.
#pragma once
#include <optional>

#include "http/request.h"

namespace basalt::http {

// What the request says about how to answer it.
struct AnswerForm {
  std::string request_id;
  bool is_api = false;        // below /api: never cached
  bool head_only = false;     // HEAD: headers without the body
  bool keep_alive = true;
  bool http_1_0 = false;      // no chunks: a body of unknown length ends with the connection
  bool is_https = false;
  bool gzip = false;          // the client accepts it
};

enum class Framing { Length, Chunked, UntilClose, NoBody };

// Everything up to and with the empty line. `length` is used with Framing::Length. Headers of the response win over the
// standard ones (no-cache for the API, security headers, Date, X-Request-Id).
std::string answer_head(int status, const std::vector<std::pair<std::string, std::string>>& headers, const AnswerForm& form, Framing framing,
                        std::size_t length, bool compressed);

struct WireAnswer {
  std::string head;  // with the body behind it when that is short
  std::string body;
};
// A whole Response (no producer), compressed where that helps. Takes the body out of `response`.
WireAnswer wire_answer(Response& response, const AnswerForm& form);

const std::string* find_header(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name);  // any case
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string http_date(std::time_t at);

}  // namespace basalt::http
