// gzip on the way out (zlib).
#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace basalt::http {

// Does the client's Accept-Encoding allow gzip (and not with q=0)?
bool accepts_gzip(std::string_view accept_encoding);
// Is this Content-Type worth compressing: JSON, text, scripts, SVG; not CSV, not what is compressed already.
bool is_compressible(std::string_view content_type);

// A gzip stream fed piece by piece. Used by one thread at a time.
class Gzip {
 public:
  explicit Gzip(int level);
  ~Gzip();
  enum class Flush { Keep, Sync, End };
  // Appends what comes out for `bytes` to `out`; Sync makes everything so far readable for the client, End closes the stream.
  void add(std::string_view bytes, Flush flush, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string gzipped(std::string_view bytes, int level);

}  // namespace basalt::http
