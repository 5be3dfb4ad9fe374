#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/unknown_field_set.h"

namespace content::testing {

/// Returns the fields of a message with this number that are text, bytes or messages. The
/// protocol's own headers are only in Debian 13.
inline std::vector<std::string> Values(const std::string& message, int number) {
  google::protobuf::UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(message));
  std::vector<std::string> values;
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField& field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      values.push_back(field.length_delimited());
    }
  }
  return values;
}

inline std::string Value(const std::string& message, int number) {
  const std::vector<std::string> values = Values(message, number);
  return values.empty() ? "" : values.front();
}

/// A span, as opentelemetry.proto.trace.v1 has it.
struct ReceivedSpan {
  std::string trace_id;
  std::string id;
  std::string parent_id;
  std::map<std::string, std::string> texts = {};  ///< the attributes that are text
  bool has_failed = false;
};

/// A collector of OpenTelemetry that keeps the spans that it gets by OTLP over gRPC.
class TraceCollector final : public grpc::CallbackGenericService {
 public:
  TraceCollector() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~TraceCollector() override { server_->Shutdown(std::chrono::system_clock::now()); }

  TraceCollector(const TraceCollector&) = delete;
  TraceCollector& operator=(const TraceCollector&) = delete;

  std::string endpoint() const { return absl::StrCat("http://127.0.0.1:", port_); }

  /// Waits for a span of this name, and returns all that there are by then, by their names.
  std::map<std::string, ReceivedSpan> Await(const std::string& name) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::minutes(1), [&] { return spans_.contains(name); }));
    return spans_;
  }

 private:
  class Export final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Export(TraceCollector& collector) : collector_(collector) { StartRead(&request_); }

    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::CANCELLED);
      grpc::Slice bytes;
      EXPECT_TRUE(request_.DumpToSingleSlice(&bytes).ok());
      collector_.Take(std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size()));
      const grpc::Slice empty("");
      response_ = grpc::ByteBuffer(&empty, 1);
      StartWriteAndFinish(&response_, {}, grpc::Status::OK);
    }

    void OnDone() override { delete this; }

   private:
    TraceCollector& collector_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    EXPECT_EQ(context->method(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    return new Export(*this);
  }

  // ExportTraceServiceRequest { resource_spans = 1 { scope_spans = 2 { spans = 2 } } }
  void Take(const std::string& request) {
    const std::lock_guard lock(mutex_);
    for (const std::string& resource_spans : Values(request, 1)) {
      for (const std::string& scope_spans : Values(resource_spans, 2)) {
        for (const std::string& span : Values(scope_spans, 2)) TakeSpan(span);
      }
    }
    changed_.notify_all();
  }

  // Requires mutex_.
  void TakeSpan(const std::string& message) {
    ReceivedSpan& span = spans_[Value(message, 5)];
    span = {.trace_id = absl::BytesToHexString(Value(message, 1)),
            .id = absl::BytesToHexString(Value(message, 2)),
            .parent_id = absl::BytesToHexString(Value(message, 4)),
            // status = 15 { code = 3 }, of which 2 is an error
            .has_failed = Value(message, 15) == "\x18\x02"};
    for (const std::string& attribute : Values(message, 9)) {  // KeyValue { key = 1, value = 2 }
      span.texts[Value(attribute, 1)] = Value(Value(attribute, 2), 1);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, ReceivedSpan> spans_;  // by their names. Guarded by mutex_.
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace content::testing
