// Requests that only read the chain, on threads of their own, so that none of them keeps a transaction
// waiting. Each thread has a view of the chain for itself: what one request sees is one moment, a whole
// frame, and nobody else's.
//
// Clients have turns, may have as much waiting as there is room left, and never all threads at once, if
// there is more than one.
#pragma once

#include <meridian/base/fair_queue.hpp>
#include <meridian/rpc/later.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace meridian::rpc {

class Service;

// What a request is answered with: the JSON text of its result, or an error.
struct ReadOutcome {
    std::string text;
    std::optional<RpcError> error;
};

class ReadPool {
public:
    struct Options {
        std::size_t threads = 2;
        std::size_t queue_max = 1'024;  // that wait for a thread
    };
    // What is done for a request, on a reader's thread: it gives the result. May throw RpcError.
    using Work = std::function<json::value(Service& reader)>;
    // Makes a reader; for each thread one. They live as long as the pool.
    using MakeReader = std::function<std::unique_ptr<Service>()>;
    struct Job;
    using JobPtr = std::shared_ptr<Job>;

    ReadPool(const Options& options, const MakeReader& make_reader);
    ~ReadPool();
    ReadPool(const ReadPool&) = delete;
    ReadPool& operator=(const ReadPool&) = delete;

    // `done` is called once on a reader's thread, unless the job is cancelled. Throws RpcError if there is no
    // room.
    JobPtr submit(ClientId client, Work work, std::function<void(ReadOutcome)> done);
    // Nobody wants it any more: it ends soon if it runs, and does not begin if it waits. From any thread.
    void cancel(const JobPtr& job);
    // Ends what runs and what will. From any thread.
    void interrupt();
    // That wait, and that run.
    std::size_t waiting() const;
    std::size_t running() const;
    const Options& options() const noexcept { return m_options; }

private:
    void serve(std::size_t index);
    JobPtr next();
    static ReadOutcome run(Service& reader, Job& job);

    Options m_options;
    std::vector<std::unique_ptr<Service>> m_readers;
    mutable std::mutex m_mutex;  // of the members below
    std::condition_variable m_bell;
    FairQueue<JobPtr> m_queue;
    std::vector<JobPtr> m_current;  // of each thread; null: it rests
    std::unordered_map<ClientId, std::size_t> m_running;
    bool m_ending = false;
    bool m_interrupted = false;
    std::vector<std::thread> m_threads;
};

// Waits for a reader's answer, on the chain's thread. It is given up with this.
class ReadLater final : public Later {
public:
    // Throws RpcError if there is no room. Precondition: the service has readers.
    static std::shared_ptr<ReadLater> start(Service& service, ClientId client, ReadPool::Work work);
    ~ReadLater() override;

    std::optional<std::string> resume() override;
    bool is_work() const noexcept override { return true; }

private:
    struct Shared;
    explicit ReadLater(ReadPool& pool);

    ReadPool& m_pool;
    std::shared_ptr<Shared> m_shared;
    ReadPool::JobPtr m_job;
};

// The same where the service has no readers: it works on the chain's thread then.
LaterPtr read_later(Service& service, ClientId client, ReadPool::Work work);

}  // namespace meridian::rpc
