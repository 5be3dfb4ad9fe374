// Watchers at several servers on one database, while others write through all of these servers.
// Every watcher must get every change, and none twice.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using Content = v1::ContentService::Stub;
using ArticleStream = Stream<v1::WatchArticlesResponse>;
using CommentStream = Stream<v1::WatchCommentsResponse>;

constexpr size_t kServers = 3;
constexpr int kWritersOfEach = 4;
constexpr int kArticlesOfEach = 30;
constexpr int kCommentsOfEach = 50;
constexpr int kDiscussed = 2;

// The last thing that is written. Whoever has got it has got everything else.
constexpr char kEnd[] = "the-end";

std::string Discussed(int number) { return absl::StrCat("discussed-", number % kDiscussed); }

// What a watcher got: how often each thing, in each of its revisions.
class Received {
 public:
  void Add(const std::string& name, int64_t revision) { ++counts_[name][revision]; }

  // Checks the latest revisions against what was written. Returns the numbers of things missed and
  // of those sent twice in one revision.
  std::pair<int, int> Compare(const std::map<std::string, int64_t>& written) const {
    int missed = 0;
    int doubled = 0;
    for (const auto& [name, revision] : written) {
      const auto got = counts_.find(name);
      if (got == counts_.end() || got->second.rbegin()->first < revision) ++missed;
    }
    for (const auto& [name, revisions] : counts_) {
      for (const auto& [revision, count] : revisions) doubled += count - 1;
    }
    return {missed, doubled};
  }

 private:
  std::map<std::string, std::map<int64_t, int>> counts_;
};

class WatchesTest : public ::testing::Test {
 protected:
  WatchesTest() {
    for (size_t i = 0; i < kServers; ++i) {
      servers_.push_back(
          std::make_unique<ContentdServer>(std::vector<std::string>{"--database-url", url_}));
      clients_.emplace_back(servers_.back()->address());
      AwaitServing(clients_.back());
    }
  }

  // Publishes articles and, of every third one, another version.
  void Publish(const Client& client, const std::string& prefix) {
    for (int i = 0; i < kArticlesOfEach; ++i) {
      v1::Article article = MakeArticle(absl::StrCat(prefix, "-", i));
      for (int version = 0; version <= (i % 3 == 0 ? 1 : 0); ++version) {
        article.set_title(absl::StrCat("Version ", version));
        v1::PublishArticleResponse response;
        const grpc::Status status = client.Publish(article, &response);
        ASSERT_TRUE(status.ok()) << status.error_message();
        const std::lock_guard lock(mutex_);
        articles_[response.article().name()] = response.article().revision();
      }
    }
  }

  void Comment(const Client& client, const std::string& prefix) {
    for (int i = 0; i < kCommentsOfEach; ++i) {
      v1::CreateCommentResponse response;
      const grpc::Status status =
          client.Create(MakeCommentRequest(Discussed(i), absl::StrCat(prefix, " ", i)), &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
      const std::lock_guard lock(mutex_);
      comments_[Discussed(i)][response.comment().name()] = response.comment().revision();
    }
  }

  static void WatchArticles(const Client& client, Received& received) {
    ArticleStream stream(&Content::WatchArticles, client.content(), v1::WatchArticlesRequest());
    while (std::optional<v1::WatchArticlesResponse> response = stream.Read()) {
      if (response->change() == v1::ARTICLE_CHANGE_UNSPECIFIED) continue;
      if (response->article().name() == absl::StrCat("articles/", kEnd)) return stream.Cancel();
      received.Add(response->article().name(), response->article().revision());
    }
    ADD_FAILURE() << stream.Finish().error_message();
  }

  static void WatchComments(const Client& client, const std::string& article, Received& received) {
    v1::WatchCommentsRequest request;
    request.set_parent("articles/" + article);
    CommentStream stream(&Content::WatchComments, client.content(), request);
    while (std::optional<v1::WatchCommentsResponse> response = stream.Read()) {
      for (const v1::Comment& comment : response->comments()) {
        if (comment.body() == kEnd) return stream.Cancel();
        received.Add(comment.name(), comment.revision());
      }
    }
    ADD_FAILURE() << stream.Finish().error_message();
  }

  const std::string url_ = NewDatabase();
  std::vector<std::unique_ptr<ContentdServer>> servers_;
  std::deque<Client> clients_;

  std::mutex mutex_;
  // The latest revisions by name; of comments by article. Guarded by mutex_.
  std::map<std::string, int64_t> articles_;
  std::map<std::string, std::map<std::string, int64_t>> comments_;
};

TEST_F(WatchesTest, GetEveryChangeOnce) {
  for (int i = 0; i < kDiscussed; ++i) {
    ASSERT_TRUE(clients_[0].Publish(MakeArticle(Discussed(i))).ok());
  }
  std::deque<Received> articles;
  std::map<std::string, std::deque<Received>> comments;
  {
    std::vector<std::jthread> watchers;
    for (const Client& client : clients_) {
      Received& received = articles.emplace_back();
      watchers.emplace_back([&] { WatchArticles(client, received); });
      for (int i = 0; i < kDiscussed; ++i) {
        Received& of_article = comments[Discussed(i)].emplace_back();
        watchers.emplace_back([&, i] { WatchComments(client, Discussed(i), of_article); });
      }
    }
    {
      std::vector<std::jthread> writers;
      for (size_t server = 0; server < kServers; ++server) {
        for (int writer = 0; writer < kWritersOfEach; ++writer) {
          const std::string prefix = absl::StrCat("by-", server, "-", writer);
          writers.emplace_back([&, server, prefix] { Publish(clients_[server], prefix); });
          writers.emplace_back([&, server, prefix] { Comment(clients_[server], prefix); });
        }
      }
    }
    for (int i = 0; i < kDiscussed; ++i) {
      EXPECT_TRUE(clients_[0].Create(MakeCommentRequest(Discussed(i), kEnd)).ok());
    }
    EXPECT_TRUE(clients_[0].Publish(MakeArticle(kEnd)).ok());
  }

  int missed = 0;
  int doubled = 0;
  const auto count = [&](const Received& received, const auto& written) {
    const auto [missed_here, doubled_here] = received.Compare(written);
    missed += missed_here;
    doubled += doubled_here;
  };
  for (const Received& received : articles) count(received, articles_);
  size_t comment_count = 0;
  for (const auto& [article, written] : comments_) {
    comment_count += written.size();
    for (const Received& received : comments[article]) count(received, written);
  }
  EXPECT_EQ(articles_.size(), kServers * kWritersOfEach * kArticlesOfEach);
  EXPECT_EQ(comment_count, kServers * kWritersOfEach * kCommentsOfEach);
  std::cout << articles_.size() << " articles and " << comment_count << " comments through each of "
            << kServers << " servers: " << missed << " missed, " << doubled << " doubled\n";
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(doubled, 0);
}

}  // namespace
}  // namespace content::testing
