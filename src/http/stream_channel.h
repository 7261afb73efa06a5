// How a worker's bytes reach a socket: the worker appends, the network thread takes. At most about 512 kB are in between;
// a worker that is faster than the client waits. Short answers that end soon never become chunks.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "http/answer.h"
#include "http/compression.h"

namespace basalt::http {

class StreamChannel final : public ResponseStream {
 public:
  // `wake` tells the network thread that there is something to take; it is called on the worker thread.
  StreamChannel(AnswerForm form, std::function<void()> wake);

  // The worker's side.
  void start(int status, std::vector<std::pair<std::string, std::string>> headers) override;
  void write(std::string_view bytes) override;
  int status() const;  // as given to start(); 0 before
  // The producer is through. When nothing was taken yet the whole answer comes back, to be sent at once with its length;
  // otherwise the rest is left for take().
  std::optional<WireAnswer> finish();
  // The producer failed after the first byte left: the connection must be cut so that the client notices.
  // When nothing was taken yet: true, and an ordinary error answer may be sent instead.
  bool fail();

  // The network thread's side.
  struct Piece {
    std::string head, bytes, tail;  // to be written in this order
    bool last = false, broken = false;
  };
  // What is ready. With `eager` also little; absent when there is nothing to send.
  std::optional<Piece> take(bool eager);
  void close();  // the client is gone: the worker's next call throws

 private:
  void require_client() const;  // with mutex_ held
  void wake_once(std::unique_lock<std::mutex>& lock);

  const AnswerForm form_;
  const std::function<void()> wake_;
  std::unique_ptr<Gzip> gzip_;       // worker's only
  std::chrono::steady_clock::time_point synced_;  // worker's only
  mutable std::mutex mutex_;
  std::condition_variable room_;
  int status_ = 0;                                                 // GUARDED_BY(mutex_)
  std::vector<std::pair<std::string, std::string>> headers_;       // GUARDED_BY(mutex_)
  std::string raw_;    // not compressed yet; empty unless compressing_  // GUARDED_BY(mutex_)
  std::string ready_;  // as it goes out                             // GUARDED_BY(mutex_)
  bool started_ = false, head_sent_ = false, compressing_ = false, begun_ = false, finished_ = false, failed_ = false, gone_ = false, awake_ = false;  // GUARDED_BY(mutex_)
};

}  // namespace basalt::http
