#include "http/stream_channel.h"

#include <charconv>

namespace basalt::http {
namespace {

constexpr std::size_t piece_size = 16 << 10, most_waiting = 256 << 10;
constexpr int level = 1;
constexpr auto sync_period = std::chrono::milliseconds(20);

}  // namespace

StreamChannel::StreamChannel(AnswerForm form, std::function<void()> wake) : form_(std::move(form)), wake_(std::move(wake)) {}

void StreamChannel::require_client() const {
  if (gone_) throw Failure(FailureKind::Cancelled, "The client went away.");
}

void StreamChannel::wake_once(std::unique_lock<std::mutex>& lock) {
  if (awake_) return;
  awake_ = true;
  lock.unlock();
  wake_();
  lock.lock();
}

void StreamChannel::start(int status, std::vector<std::pair<std::string, std::string>> headers) {
  std::unique_lock lock(mutex_);
  require_client();
  status_ = status;
  headers_ = std::move(headers);
  started_ = true;
  auto* type = find_header(headers_, "content-type");
  // Files that are saved as they come (exports) are not compressed.
  compressing_ = form_.gzip && type && is_compressible(*type) && !find_header(headers_, "content-encoding") && !find_header(headers_, "content-disposition");
}

int StreamChannel::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void StreamChannel::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  if (!started_) throw Failure(FailureKind::Bug, "An answer was written before it was started.");
  while (!bytes.empty()) {
    require_client();
    if (form_.head_only) return;
    // Large pieces go in slices, so that what waits stays bounded.
    auto slice = bytes.substr(0, most_waiting);
    bytes.remove_prefix(slice.size());
    if (compressing_) {
      raw_ += slice;
      auto now = std::chrono::steady_clock::now();
      bool sync = begun_ && now - synced_ >= sync_period;
      if (raw_.size() >= piece_size || sync) {
        std::string raw = std::move(raw_), packed;
        raw_.clear();
        lock.unlock();
        if (!gzip_) gzip_ = std::make_unique<Gzip>(level);
        gzip_->add(raw, sync ? Gzip::Flush::Sync : Gzip::Flush::Keep, packed);
        if (sync) synced_ = now;
        lock.lock();
        ready_ += packed;
        begun_ = true;  // the headers will say gzip: no way back to a plain answer
      }
    } else {
      ready_ += slice;
    }
    if (ready_.size() >= piece_size) wake_once(lock);
    room_.wait(lock, [this] { return gone_ || ready_.size() < most_waiting; });
  }
  require_client();
}

std::optional<WireAnswer> StreamChannel::finish() {
  std::unique_lock lock(mutex_);
  if (!started_) throw Failure(FailureKind::Bug, "The answer was never started.");
  if (gone_) return std::nullopt;
  if (!begun_ && !awake_) {
    // Nothing was announced to the network thread: take() finds nothing from here on.
    started_ = false;
    Response whole{.status = status_, .headers = std::move(headers_), .body = compressing_ ? std::move(raw_) : std::move(ready_)};
    lock.unlock();
    auto form = form_;
    form.gzip = compressing_;
    return wire_answer(whole, form);
  }
  if (compressing_) {
    std::string raw = std::move(raw_), packed;
    raw_.clear();
    lock.unlock();
    if (!gzip_) gzip_ = std::make_unique<Gzip>(level);
    gzip_->add(raw, Gzip::Flush::End, packed);
    lock.lock();
    ready_ += packed;
  }
  finished_ = true;
  return std::nullopt;
}

bool StreamChannel::fail() {
  std::unique_lock lock(mutex_);
  if (!begun_ && !awake_) {
    started_ = false;
    return true;
  }
  failed_ = true;
  return false;
}

std::optional<StreamChannel::Piece> StreamChannel::take(bool eager) {
  std::unique_lock lock(mutex_);
  awake_ = false;
  if (!started_) return std::nullopt;
  if (failed_) return Piece{.last = true, .broken = true};
  bool worth_it = eager ? !begun_ || !ready_.empty() : ready_.size() >= piece_size;
  if (!worth_it && !finished_) return std::nullopt;
  Piece piece;
  bool chunked = !form_.http_1_0;
  if (!head_sent_) piece.head = answer_head(status_, headers_, form_, chunked ? Framing::Chunked : Framing::UntilClose, 0, compressing_);
  head_sent_ = true;
  begun_ = true;
  piece.bytes = std::move(ready_);
  ready_ = std::string();
  if (chunked && !form_.head_only) {
    if (!piece.bytes.empty()) {
      char size[20];
      auto end = std::to_chars(size, size + sizeof size, piece.bytes.size(), 16).ptr;
      piece.head.append(size, end).append("\r\n");
      piece.tail = "\r\n";
    }
    if (finished_) piece.tail += "0\r\n\r\n";
  }
  piece.last = finished_;
  if (finished_) started_ = false;
  lock.unlock();
  room_.notify_all();
  return piece;
}

void StreamChannel::close() {
  {
    std::lock_guard lock(mutex_);
    gone_ = true;
  }
  room_.notify_all();
}

}  // namespace basalt::http
