#include "support/comment_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace content::testing {
namespace {

constexpr std::chrono::seconds kPatience{120};
// How long a writer or reader waits before it repeats a failed call.
constexpr std::chrono::milliseconds kBackoff{10};

// The backends of a killed database may have run long enough to accept the last comments; then the
// database is away only now.
grpc::Status List(const Client& client, const v1::ListCommentsRequest& request,
                  v1::ListCommentsResponse& page) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    grpc::Status status =
        Client::Call(&v1::ContentService::Stub::ListComments, client.content(), request, page);
    const bool is_away = status.error_code() == grpc::StatusCode::UNAVAILABLE;
    if (!is_away || std::chrono::steady_clock::now() > deadline) return status;
    std::this_thread::sleep_for(kBackoff);
  }
}

// Adds the names of the article's comments, by body. Returns whether their number is the article's
// comment_count.
bool ReadAll(const Client& client, const std::string& article,
             std::multimap<std::string, std::string>& found) {
  v1::ListCommentsRequest request;
  request.set_parent(article);
  request.set_page_size(200);
  int64_t count = 0;
  int64_t promised = 0;
  do {
    v1::ListCommentsResponse page;
    const grpc::Status status = List(client, request, page);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (!status.ok()) return false;
    for (const auto& comment : page.comments()) found.emplace(comment.body(), comment.name());
    count += page.comments_size();
    promised = page.comment_count();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return count == promised;
}

}  // namespace

void CommentLoad::Start(const std::string& address) {
  const Client client(address);
  for (int i = 0; i < article_count_; ++i) {
    ASSERT_TRUE(client.Publish(MakeArticle(absl::StrCat("article-", i))).ok());
  }
  SetAddress(address);
  for (int writer = 0; writer < writer_count_; ++writer) {
    writers_.emplace_back([this, writer](const std::stop_token& stop) { Write(stop, writer); });
  }
}

void CommentLoad::SetAddress(const std::string& address) {
  const std::lock_guard lock(mutex_);
  address_ = address;
  changed_.notify_all();
}

// Waits while no server runs, so that writers do not slow down its restart.
std::string CommentLoad::AwaitAddress(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return !address_.empty(); });
  return address_;
}

void CommentLoad::Write(const std::stop_token& stop, int writer) {
  auto client = std::make_unique<Client>(AwaitAddress(stop));
  for (int number = 0; !stop.stop_requested(); ++number) {
    auto request = MakeCommentRequest(absl::StrCat("article-", number % article_count_),
                                      absl::StrCat(writer, "/", number));
    request.set_request_id(absl::StrFormat("%08x-0000-4000-8000-%012x", writer, number));
    v1::CreateCommentResponse response;
    while (!stop.stop_requested() && !client->Create(request, &response).ok()) {
      std::this_thread::sleep_for(kBackoff);
      client = std::make_unique<Client>(AwaitAddress(stop));
    }
    if (response.has_comment()) Acknowledge(request.comment().body(), response.comment().name());
  }
}

void CommentLoad::Acknowledge(const std::string& body, const std::string& name) {
  const std::lock_guard lock(mutex_);
  acknowledged_.emplace(body, name);
  times_.push_back(Clock::now());
  changed_.notify_all();
}

void CommentLoad::AwaitMore(size_t count) {
  std::unique_lock lock(mutex_);
  const size_t goal = acknowledged_.size() + count;
  ASSERT_TRUE(changed_.wait_for(lock, kPatience, [&] { return acknowledged_.size() >= goal; }))
      << acknowledged_.size() << " of " << goal << " comments were acknowledged";
}

void CommentLoad::Stop() {
  for (auto& writer : writers_) writer.request_stop();
  writers_.clear();
}

CommentLoad::Outcome CommentLoad::Check(const std::string& address) const {
  const Client client(address);
  const std::lock_guard lock(mutex_);
  Outcome outcome{.acknowledged = acknowledged_.size()};
  std::multimap<std::string, std::string> found;
  for (int i = 0; i < article_count_; ++i) {
    outcome.counts_are_right &= ReadAll(client, absl::StrCat("articles/article-", i), found);
  }
  for (auto it = found.begin(); it != found.end(); it = found.upper_bound(it->first)) {
    outcome.doubled += found.count(it->first) - 1;
  }
  for (const auto& [body, name] : acknowledged_) {
    const auto [begin, end] = found.equal_range(body);
    const bool is_there = std::any_of(
        begin, end, [&name = name](const auto& comment) { return comment.second == name; });
    if (!is_there) ++outcome.lost;
  }
  return outcome;
}

CommentLoad::Clock::time_point CommentLoad::FirstAcknowledgedAfter(Clock::time_point time) const {
  const std::lock_guard lock(mutex_);
  return *std::lower_bound(times_.begin(), times_.end(), time);
}

CommentLoad::Clock::time_point CommentLoad::LastAcknowledgedBefore(Clock::time_point time) const {
  const std::lock_guard lock(mutex_);
  return *std::prev(std::lower_bound(times_.begin(), times_.end(), time));
}

}  // namespace content::testing
