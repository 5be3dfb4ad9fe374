#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "postgres/coalescer.h"
#include "postgres/connection.h"
#include "postgres/failure.h"
#include "postgres/job.h"
#include "postgres/turns.h"

namespace content::postgres {

/// One entry per key. nullopt means that the key must be read again.
template <class Answer>
using Answers = std::vector<std::optional<Answer>>;

/// The policy of a Coalescer for one kind of read. At most kMaxBatch reads share a statement, in
/// the order in which accounts take turns; reads with equal keys share an answer. All jobs are
/// prompt. A slow statement delays only the reads of its own batch.
///
/// `Key` must have `operator<`. `AnswerType` is copied only for reads that share an answer.
template <class Key, class AnswerType, class Connection = postgres::Connection>
class ReadPolicy {
 public:
  using Item = Key;
  using Answer = AnswerType;
  using Request = PendingRequest<Item, Answer>;

  struct Batch {
    std::vector<Request> requests;
  };

  /// Reads distinct keys and answers at least one of them. May throw the exceptions of Connection.
  using Work = std::function<Answers<Answer>(Connection&, const std::vector<Key>& keys)>;

  /// Larger batches save little per read and delay the first one.
  static constexpr size_t kMaxBatch = 64;

  ReadPolicy(Work work) : work_(std::move(work)) {}  // NOLINT(google-explicit-constructor)

  // Requests for one key share one read.
  absl::Status CheckKey(const Key&, Account) const { return absl::OkStatus(); }

  void Add(Request request, size_t) {
    const Account account = request.account;
    waiting_.Add(account, std::move(request));
  }

  // One job at a time waits for a connection. If it cannot take all reads, another is scheduled.
  int WantedJobs(Pace pace) const { return pace == Pace::kPrompt && !waiting_.empty() ? 1 : 0; }

  Batch Take(Pace) {
    Batch batch;
    while (!waiting_.empty() && MayJoin(waiting_.front(), batch.requests, kMaxBatch)) {
      batch.requests.push_back(waiting_.Take());
    }
    return batch;
  }

  void Release(const Batch&, std::vector<Request> again, bool) {
    for (auto request = again.rbegin(); request != again.rend(); ++request) {
      waiting_.PutBack(std::move(*request));
    }
  }

  bool MayBeCausedByOne(const absl::Status& status) const {
    return MayBeCausedByOneRequest(status);
  }

  std::vector<Request> TakeAll() { return waiting_.TakeAll(); }

  BatchAnswers<Answer> Run(Connection& connection, const std::vector<Request>& requests, Pace,
                           bool) const {
    std::vector<Key> keys;
    const std::vector<size_t> places = PlacesOfKeys(requests, keys);
    Answers<Answer> found = work_(connection, keys);
    CheckAnswered(found, keys.size());
    const bool shared = keys.size() < requests.size();
    BatchAnswers<Answer> answers(requests.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      std::optional<Answer>& answer = found[places[i]];
      if (!answer) continue;
      if (shared) {
        answers[i].emplace(*answer);
      } else {
        answers[i].emplace(*std::move(answer));
      }
    }
    return answers;
  }

 private:
  // Adds the distinct keys of the requests to `keys`. Returns, for each request, the index of its
  // key.
  static std::vector<size_t> PlacesOfKeys(const std::vector<Request>& requests,
                                          std::vector<Key>& keys) {
    const auto less = [](const Key* a, const Key* b) { return *a < *b; };
    std::map<const Key*, size_t, decltype(less)> known(less);
    std::vector<size_t> places;
    keys.reserve(requests.size());
    places.reserve(requests.size());
    for (const Request& request : requests) {
      const auto [entry, is_new] = known.try_emplace(&request.item, keys.size());
      if (is_new) keys.push_back(request.item);
      places.push_back(entry->second);
    }
    return places;
  }

  // Fails if no key was answered: the reads would be repeated for ever.
  static void CheckAnswered(const Answers<Answer>& answers, size_t key_count) {
    const auto has_value = [](const std::optional<Answer>& answer) { return answer.has_value(); };
    if (answers.size() != key_count) throw std::logic_error("a read has answers for other keys");
    if (std::none_of(answers.begin(), answers.end(), has_value)) {
      throw std::logic_error("a read answered none of its keys");
    }
  }

  Work work_;
  FairQueue<Request> waiting_;
};

}  // namespace content::postgres
