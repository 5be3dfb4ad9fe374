#include "transfer/exports/disqus.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/xml.h"
#include "transfer/html/escape.h"
#include "transfer/html/plain_text.h"
#include "transfer/ids.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// They are kept in memory.
constexpr size_t kMaxThreads = 1'000'000;

struct DisqusThread {
  std::string address;
  bool is_deleted;
  int reading;  // the last one that has come to it
};

// A thread has a link. One without may have an address in its identifier, as WordPress writes
// "962 https://blog.example/?p=962".
std::string DisqusAddress(const XmlElement& thread) {
  if (const absl::string_view link = thread.TextOf("link"); !link.empty()) return std::string(link);
  for (const absl::string_view word : absl::StrSplit(thread.TextOf("id"), ' ')) {
    if (IsWebAddress(word)) return std::string(word);
  }
  return "";
}

// Threads and posts are the children of the root.
constexpr XmlShape kDisqusShape = {.depth = 1};

absl::string_view DisqusId(const XmlElement& post, absl::string_view name) {
  const XmlElement* const other = post.Child(name);
  return other != nullptr ? other->Attribute("id") : "";
}

v1::CommentState DisqusState(const XmlElement& post) {
  if (post.TextOf("isDeleted") == "true") return v1::COMMENT_STATE_DELETED;
  const auto is = [&post](absl::string_view name, absl::string_view usual) {
    const absl::string_view value = post.TextOf(name);
    return value.empty() || value == usual;
  };
  return is("isDeleted", "false") && is("isSpam", "false") && is("isApproved", "true")
             ? v1::COMMENT_STATE_VISIBLE
             : v1::COMMENT_STATE_PENDING;
}

// Returns the address in a link of Disqus, `ADDRESS:HASH`; empty if it is none.
std::string CountedAddress(absl::string_view encoded) {
  std::string address = PercentDecoded(encoded);
  constexpr size_t kHashBytes = 27;
  const size_t colon = address.rfind(':');
  const bool has_hash = colon != std::string::npos && address.size() - colon - 1 == kHashBytes &&
                        address.find('/', colon) == std::string::npos;
  if (has_hash) address.resize(colon);
  return IsWebAddress(address) && IsUtf8(address) ? address : "";
}

// Disqus counts who follows a link: `http://disq.us/url?url=ADDRESS%3AHASH&cuid=1`. Puts the
// addresses themselves in the place of such links, which may not lead there forever.
std::string WithoutCountedLinks(absl::string_view html) {
  constexpr absl::string_view kLink = "://disq.us/url?url=";
  std::string result;
  for (size_t at = html.find(kLink); at != absl::string_view::npos; at = html.find(kLink)) {
    absl::string_view before = html.substr(0, at);
    if (!absl::ConsumeSuffix(&before, "https")) absl::ConsumeSuffix(&before, "http");
    const absl::string_view rest = html.substr(at + kLink.size());
    const size_t end = std::min(rest.find_first_of("\"'<> \t\r\n"), rest.size());
    const std::string address = CountedAddress(rest.substr(0, std::min(rest.find('&'), end)));
    if (address.empty()) {
      absl::StrAppend(&result, html.substr(0, at + kLink.size() + end));
    } else {
      absl::StrAppend(&result, before, EscapedForHtml(address));
    }
    html = rest.substr(end);
  }
  return absl::StrCat(result, html);
}

std::string TextOfDisqus(absl::string_view html) {
  return HtmlToPlainText(WithoutCountedLinks(html));
}

ExportedComment DisqusComment(const XmlElement& post) {
  ExportedComment comment;
  comment.source_id = std::string(post.Attribute("id"));
  // A second id, of the site's.
  if (comment.source_id.empty()) comment.source_id = std::string(post.TextOf("id"));
  comment.parent_source_id = std::string(DisqusId(post, "parent"));
  if (const XmlElement* const author = post.Child("author"); author != nullptr) {
    comment.author_name = std::string(author->TextOf("name"));
    comment.author_key = std::string(author->TextOf("username"));
  }
  if (const auto time = ParseDate(post.TextOf("createdAt"))) comment.create_time = *time;
  comment.state = DisqusState(post);
  comment.body = std::string(post.TextOf("message"));
  comment.to_text = TextOfDisqus;
  return comment;
}

// Posts that come before their threads are left to a second reading. Few files have such posts.
class DisqusReader {
 public:
  DisqusReader(ExportFile& file, ExportSink& sink) : file_(file), sink_(sink) {}

  absl::Status Read() {
    absl::Status status = ReadOnce();
    if (!has_early_posts_ || has_ended_) return status;
    file_.Rewind();
    return ReadOnce();
  }

 private:
  absl::Status ReadOnce() {
    ++reading_;
    absl::Status status =
        ReadXml(file_, kDisqusShape, [this](const XmlElement& item, const XmlElement* /*from*/) {
          if (item.name == "thread") AddThread(item);
          if (item.name == "post") TakePost(item);
          return !has_ended_;
        });
    if (threads_.size() <= kMaxThreads) return status;
    return absl::InvalidArgumentError(absl::StrCat("has more than ", kMaxThreads, " threads"));
  }

  void AddThread(const XmlElement& thread) {
    threads_[std::string(thread.Attribute("id"))] = {
        DisqusAddress(thread), thread.TextOf("isDeleted") == "true", reading_};
    has_ended_ = threads_.size() > kMaxThreads;
  }

  void TakePost(const XmlElement& post) {
    const auto thread = threads_.find(DisqusId(post, "thread"));
    const bool is_early = thread == threads_.end() || thread->second.reading < reading_;
    has_early_posts_ = has_early_posts_ || is_early;
    const bool is_second_reading = reading_ == 2;
    if (is_early != is_second_reading) return;
    has_ended_ = !Take(post, thread == threads_.end() ? nullptr : &thread->second);
  }

  bool Take(const XmlElement& post, const DisqusThread* thread) {
    ExportedComment comment = DisqusComment(post);
    const std::string label = absl::StrCat("comment ", comment.source_id);
    if (post.TextOf("isSpam") == "true") return sink_.LeaveOut(ItemKind::kComment, label, "spam");
    if (thread == nullptr) {
      return sink_.Refuse(ItemKind::kComment, label, "its thread is not in the file");
    }
    if (thread->is_deleted) {
      return sink_.LeaveOut(ItemKind::kComment, label, "in a deleted thread");
    }
    comment.address = thread->address;
    return HandOver(std::move(comment), sink_);
  }

  ExportFile& file_;
  ExportSink& sink_;
  absl::flat_hash_map<std::string, DisqusThread> threads_;  // by dsq:id
  int reading_ = 0;
  bool has_early_posts_ = false;
  bool has_ended_ = false;
};

}  // namespace

bool BeginsLikeDisqus(absl::string_view head) { return absl::StrContains(head, "<disqus"); }

absl::Status ReadDisqus(ExportFile& file, ExportSink& sink) {
  return DisqusReader(file, sink).Read();
}

}  // namespace content::transfer
