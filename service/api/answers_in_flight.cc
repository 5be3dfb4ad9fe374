#include "api/answers_in_flight.h"

#include <grpc/support/alloc.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "api/peer.h"

namespace content::api {
namespace {

// How often overdue answers are looked for.
constexpr absl::Duration kInterval = absl::Seconds(1);

std::string OriginOfCaller(grpc_call* call) {
  char* const peer = grpc_call_get_peer(call);
  std::string origin = OriginOf(peer);
  gpr_free(peer);
  return origin;
}

void EndCall(grpc_call* call) {
  grpc_call_cancel_with_status(call, GRPC_STATUS_ABORTED, "the answer was not read in time",
                               nullptr);
  grpc_call_unref(call);
}

// The answers to clients of one origin.
struct Holding {
  int64_t bytes = 0;
  std::vector<std::pair<SteadyTime, int64_t>> answers;  // when it began, and its bytes
};

}  // namespace

AnswersInFlight::Answer::~Answer() {
  if (call_ != nullptr) all_.Remove(*this);
}

void AnswersInFlight::Answer::Begin(grpc_call* call, int64_t bytes, SteadyTime now) {
  call_ = call;
  bytes_ = bytes;
  begin_ = now;
  all_.Add(*this);
}

// The thread may still end calls when their server is gone, for which gRPC must be there.
AnswersInFlight::AnswersInFlight(const Limits& limits) : limits_(limits) {
  grpc_init();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

AnswersInFlight::~AnswersInFlight() {
  thread_ = {};
  grpc_shutdown();
}

AnswersInFlight::Shard& AnswersInFlight::ShardOf(const Answer& answer) {
  return shards_[absl::Hash<const Answer*>()(&answer) % shards_.size()];
}

void AnswersInFlight::Add(Answer& answer) {
  {
    Shard& shard = ShardOf(answer);
    const std::lock_guard lock(shard.mutex);
    shard.answers.insert(&answer);
    bytes_ += answer.bytes_;
  }
  if (!IsExcessive()) return;
  const std::lock_guard lock(mutex_);
  excess_.notify_one();
}

void AnswersInFlight::Remove(Answer& answer) {
  Shard& shard = ShardOf(answer);
  const std::lock_guard lock(shard.mutex);
  if (shard.answers.erase(&answer) > 0) bytes_ -= answer.bytes_;
}

void AnswersInFlight::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      SteadyClock::System().WaitUntil(SteadyNow() + kInterval, lock, excess_, stop,
                                      [this] { return IsExcessive(); });
    }
    const SteadyTime latest = SteadyNow() - limits_.write_timeout;
    EndWhere([latest](const Answer& answer) { return answer.begin_ <= latest; });
    if (IsExcessive()) EndExcess();
  }
}

// Ends more than necessary, so that this happens rarely.
void AnswersInFlight::EndExcess() {
  std::map<std::string, Holding> origins;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const Answer* const answer : shard.answers) {
      Holding& holding = origins[OriginOfCaller(answer->call_)];
      holding.bytes += answer->bytes_;
      holding.answers.emplace_back(answer->begin_, answer->bytes_);
    }
  }
  if (origins.empty()) return;
  const auto by_bytes = [](const auto& a, const auto& b) {
    return a.second.bytes < b.second.bytes;
  };
  auto& [origin, holding] = *std::max_element(origins.begin(), origins.end(), by_bytes);
  std::sort(holding.answers.begin(), holding.answers.end());
  int64_t left = bytes_;
  SteadyTime latest = SteadyTime::InfinitePast();
  for (const auto& [begin, bytes] : holding.answers) {
    if (left <= limits_.max_bytes / 4 * 3) break;
    left -= bytes;
    latest = begin;
  }
  EndWhere([latest, &origin = origin](const Answer& answer) {
    return answer.begin_ <= latest && OriginOfCaller(answer.call_) == origin;
  });
}

// Ends the calls without holding a lock, because gRPC may destroy their answers meanwhile.
template <class Condition>
void AnswersInFlight::EndWhere(const Condition& condition) {
  std::vector<grpc_call*> calls;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    absl::erase_if(shard.answers, [&](const Answer* answer) {
      if (!condition(*answer)) return false;
      grpc_call_ref(answer->call_);
      calls.push_back(answer->call_);
      bytes_ -= answer->bytes_;
      return true;
    });
  }
  for (grpc_call* const call : calls) EndCall(call);
}

}  // namespace content::api
