// Batches to the bytes of an answer. An encoder is used for one result, by one thread.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time_zone.h"
#include "rows/batch.h"

namespace basalt::stream {

// Texts shown instead of a value, by the value as JSON.
using Labels = std::unordered_map<std::string, std::string>;

// One column of the answer: a column of the batches, or the labels of one.
struct OutputColumn {
  std::string title;                         // header of exports
  std::size_t source = 0;                    // index in the batch
  std::shared_ptr<const Labels> labels = {}; // set: the label of the source's value, null when it has none
  const TimeZone* zone = nullptr;            // set: its timestamps are wall-clock times of this zone, whatever the results' zone
};

struct EncoderOptions {
  bool integers_as_text = false;             // integers beyond ±(2^53 - 1), which JavaScript cannot hold, as JSON strings
  const TimeZone* zone = nullptr;            // zone of the results: its offset follows dates and timestamps; nullptr: UTC
  bool byte_order_mark = false;              // CSV
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void begin(std::string& out) = 0;
  // Appends the first `rows` rows of the batch. The kinds of its vectors count, which may differ from batch to batch.
  virtual void append(std::string& out, const rows::Batch& batch, std::size_t rows) = 0;
  virtual void end(std::string& out) = 0;
};

// Rows as the API answers them: `[1,"x",null],[…]` inside the caller's brackets. Dates "2024-05-17T00:00:00Z", timestamps with
// the zone's offset, times "08:30:00Z".
std::unique_ptr<Encoder> api_rows(std::vector<OutputColumn> columns, EncoderOptions options);
// A CSV file: a header of titles, lines ended by "\n", null as nothing. Temporal values as they are, without an offset they
// do not have.
std::unique_ptr<Encoder> csv(std::vector<OutputColumn> columns, EncoderOptions options);
// A JSON array of objects keyed by title; values as in CSV, numbers and booleans as JSON has them.
std::unique_ptr<Encoder> json_objects(std::vector<OutputColumn> columns, EncoderOptions options);

}  // namespace basalt::stream
