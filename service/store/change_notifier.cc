#include "store/change_notifier.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "content/names.h"
#include "content/uuid.h"
#include "postgres/channel.h"
#include "postgres/known_database.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

constexpr char kChannelName[] = "content_articles";

// If notices of more articles than this are pending, all of them are dropped.
constexpr size_t kMaxPending = 10'000;

// ---- Payloads: a line that names the sender, and one line for each article ----

// Begins the line that names the sender, and then tells it when it had the oldest notice. Versions
// that do not know this line ignore it, and send none.
constexpr absl::string_view kHeaderPrefix = "from ";

std::string FormatLine(const ChangeNotice& notice) {
  const ArticleState& state = notice.state;
  return absl::StrCat(state.revision, " ", state.comment_count, " ", state.version, " ",
                      state.article_id, " ", notice.name);
}

// Returns nullopt if the line has another form, which a newer version may send.
std::optional<ChangeNotice> ParseLine(absl::string_view line) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
  ChangeNotice notice;
  ArticleState& state = notice.state;
  if (parts.size() != 5 || !absl::SimpleAtoi(parts[0], &state.revision) ||
      !absl::SimpleAtoi(parts[1], &state.comment_count) ||
      !absl::SimpleAtoi(parts[2], &state.version) || !IsArticleId(parts[3]) ||
      !IsArticleId(parts[4])) {
    return std::nullopt;
  }
  state.article_id = std::string(parts[3]);
  notice.name = std::string(parts[4]);
  return notice;
}

std::vector<std::string> ToPayloads(const std::string& header,
                                    const std::unordered_map<std::string, ChangeNotice>& notices) {
  std::vector<std::string> payloads;
  for (const auto& [id, notice] : notices) {
    const std::string line = FormatLine(notice);
    if (payloads.empty() ||
        payloads.back().size() + 1 + line.size() > postgres::Channel::kMaxPayloadBytes) {
      payloads.push_back(header);
    }
    absl::StrAppend(&payloads.back(), "\n", line);
  }
  return payloads;
}

}  // namespace

ChangeNotifier::ChangeNotifier(const std::shared_ptr<postgres::KnownDatabase>& database,
                               bool notifications, absl::Duration connection_lifetime,
                               metrics::Histogram* lags)
    : database_(database), header_(absl::StrCat(kHeaderPrefix, NewUuid(), " ")), lags_(lags) {
  if (!notifications) return;
  channel_ = std::make_unique<postgres::Channel>(
      database, kChannelName, connection_lifetime, [this] { return TakePayloads(); },
      [this](absl::string_view payload, const postgres::DatabaseId& from) {
        Receive(payload, from);
      });
}

ChangeNotifier::~ChangeNotifier() = default;

template <class Listener>
class ChangeNotifier::Subscriber final : public Subscription {
 public:
  // `all` is the list that it is in while it exists. Guarded by `mutex`.
  Subscriber(std::mutex& mutex, std::vector<const Listener*>& all, Listener listener)
      : mutex_(mutex), all_(all), listener_(std::move(listener)) {
    const std::lock_guard lock(mutex_);
    all_.push_back(&listener_);
  }

  ~Subscriber() override {
    const std::lock_guard lock(mutex_);
    std::erase(all_, &listener_);
  }

 private:
  std::mutex& mutex_;
  std::vector<const Listener*>& all_;
  const Listener listener_;
};

std::unique_ptr<Subscription> ChangeNotifier::Subscribe(ChangeListener listener) {
  return std::make_unique<Subscriber<ChangeListener>>(mutex_, subscribers_, std::move(listener));
}

std::unique_ptr<Subscription> ChangeNotifier::SubscribeToFailovers(FailoverListener listener) {
  return std::make_unique<Subscriber<FailoverListener>>(mutex_, failover_subscribers_,
                                                        std::move(listener));
}

// The channel wakes up to leave the old primary.
void ChangeNotifier::OnFailover() {
  {
    const std::lock_guard lock(mutex_);
    for (const FailoverListener* listener : failover_subscribers_) (*listener)();
  }
  {
    const std::lock_guard lock(pending_mutex_);
    pending_.clear();
  }
  if (channel_ != nullptr) channel_->Wake();
}

void ChangeNotifier::Announce(const std::vector<ChangeNotice>& notices,
                              const postgres::DatabaseId& from) noexcept {
  for (const ChangeNotice& notice : notices) NotifySubscribers(notice, from);
  if (channel_ != nullptr && AddPending(notices, from)) channel_->Wake();
}

// Under the lock, because OnFailover takes it when `from` has become outdated: what passes here
// comes before the subscribers hear of the failover, and nothing does afterwards. AddPending does
// the same.
void ChangeNotifier::NotifySubscribers(const ChangeNotice& notice,
                                       const postgres::DatabaseId& from) {
  const std::lock_guard lock(mutex_);
  if (database_->IsOutdated(from)) return;
  for (const ChangeListener* listener : subscribers_) (*listener)(notice);
}

bool ChangeNotifier::AddPending(const std::vector<ChangeNotice>& notices,
                                const postgres::DatabaseId& from) {
  const std::lock_guard lock(pending_mutex_);
  if (database_->IsOutdated(from)) return false;
  const bool were_none = pending_.empty();
  if (pending_.size() > kMaxPending) {
    log::Warning("change notices dropped", {{"articles", pending_.size()}});
    pending_.clear();
  }
  if (pending_.empty()) pending_since_ = SteadyNow();
  for (const ChangeNotice& notice : notices) {
    ChangeNotice& latest = pending_[notice.state.article_id];
    if (IsOlder(latest.state, notice.state)) latest = notice;
  }
  return were_none;
}

std::vector<std::string> ChangeNotifier::TakePayloads() {
  std::unique_lock lock(pending_mutex_);
  const std::unordered_map<std::string, ChangeNotice> notices = std::exchange(pending_, {});
  const absl::Duration since = pending_since_ - SteadyTime();
  lock.unlock();
  return ToPayloads(absl::StrCat(header_, absl::ToInt64Microseconds(since)), notices);
}

void ChangeNotifier::ObserveLag(absl::string_view pending_since) const {
  int64_t since = 0;
  if (lags_ == nullptr || !absl::SimpleAtoi(pending_since, &since)) return;
  lags_->Observe(SteadyNow() - (SteadyTime() + absl::Microseconds(since)));
}

void ChangeNotifier::Receive(absl::string_view payload, const postgres::DatabaseId& from) {
  std::vector<absl::string_view> lines = absl::StrSplit(payload, '\n');
  if (absl::string_view first = lines.front(); absl::ConsumePrefix(&first, header_)) {
    return ObserveLag(first);
  }
  if (absl::StartsWith(lines.front(), kHeaderPrefix)) lines.erase(lines.begin());
  for (const absl::string_view line : lines) {
    if (const std::optional<ChangeNotice> notice = ParseLine(line)) {
      NotifySubscribers(*notice, from);
    } else if (!std::exchange(has_logged_unknown_, true)) {
      log::Debug("notification not understood", {{"bytes", payload.size()}});
    }
  }
}

}  // namespace content::store
