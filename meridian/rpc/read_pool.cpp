#include <meridian/base/assert.hpp>
#include <meridian/rpc/read_pool.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/rpc/sound_reads.hpp>

#include <spdlog/spdlog.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace meridian::rpc {
namespace {

// On a busy machine what makes frames gets the processor first: a reader has about a tenth of the weight of
// another thread. It is no error if the system does not know it for threads.
void yield_to_the_pipeline() {
    constexpr int kReaderNice = 10;
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kReaderNice));
}

}  // namespace

struct ReadPool::Job {
    ClientId client;
    Work work;
    std::function<void(ReadOutcome)> done;
    bool cancelled = false;  // guarded by the pool's mutex
};

ReadPool::ReadPool(const Options& options, const MakeReader& make_reader)
    : m_options(options), m_current(options.threads) {
    MERIDIAN_ASSERT(options.threads > 0);
    for (std::size_t i = 0; i < options.threads; ++i)
        m_readers.push_back(make_reader());
    for (std::size_t i = 0; i < options.threads; ++i)
        m_threads.emplace_back([this, i] { serve(i); });
}

ReadPool::~ReadPool() {
    interrupt();
    {
        const std::lock_guard lock(m_mutex);
        m_ending = true;
    }
    m_bell.notify_all();
    for (std::thread& thread : m_threads)
        thread.join();
}

ReadPool::JobPtr ReadPool::submit(ClientId client, Work work, std::function<void(ReadOutcome)> done) {
    auto job = std::make_shared<Job>(Job{client, std::move(work), std::move(done)});
    {
        const std::lock_guard lock(m_mutex);
        // A client may have as much waiting as is still free.
        if (m_queue.size() + m_queue.size_of(client) >= m_options.queue_max)
            throw RpcError(ErrorCode::LimitExceeded,
                           "the node is busy: too many requests wait to be read for; try again "
                           "(rpc.read_queue_max)",
                           json::object{{"limit", "rpc.read_queue_max"}});
        m_queue.push(client, job);
    }
    m_bell.notify_one();
    return job;
}

void ReadPool::cancel(const JobPtr& job) {
    const std::lock_guard lock(m_mutex);
    job->cancelled = true;
    if (const auto at = std::ranges::find(m_current, job); at != m_current.end())
        m_readers[static_cast<std::size_t>(at - m_current.begin())]->set_interrupted(true);
}

void ReadPool::interrupt() {
    const std::lock_guard lock(m_mutex);
    m_interrupted = true;
    for (const auto& reader : m_readers)
        reader->set_interrupted(true);
}

std::size_t ReadPool::waiting() const {
    const std::lock_guard lock(m_mutex);
    return m_queue.size();
}

std::size_t ReadPool::running() const {
    const std::lock_guard lock(m_mutex);
    return m_current.size() - static_cast<std::size_t>(std::ranges::count(m_current, nullptr));
}

// Under the lock. Null: nothing may begin now.
ReadPool::JobPtr ReadPool::next() {
    const std::size_t threads_max = std::max<std::size_t>(1, m_options.threads - 1);
    auto job = m_queue.pop_if([&](ClientId client) {
        const auto found = m_running.find(client);
        return found == m_running.end() || found->second < threads_max;
    });
    return job ? *std::move(job) : nullptr;
}

void ReadPool::serve(std::size_t index) {
    yield_to_the_pipeline();
    Service& reader = *m_readers[index];
    std::unique_lock lock(m_mutex);
    for (;;) {
        JobPtr job;
        m_bell.wait(lock, [&] { return m_ending || (job = next()) != nullptr; });
        if (m_ending)
            return;
        reader.set_interrupted(m_interrupted);
        m_current[index] = job;
        ++m_running[job->client];
        const bool wanted = !job->cancelled;
        lock.unlock();
        if (wanted)
            job->done(run(reader, *job));
        job->work = nullptr;  // what it holds may be much: not for the lock
        lock.lock();
        m_current[index] = nullptr;
        if (--m_running[job->client] == 0)
            m_running.erase(job->client);
    }
}

ReadOutcome ReadPool::run(Service& reader, Job& job) {
    ReadOutcome out;
    try {
        out.text = with_sound_reads(reader.chain(), [&] {
            reader.refresh();
            return json::serialize(job.work(reader));
        });
    } catch (const RpcError& error) {
        out.error = error;
    } catch (const ValueError& error) {
        out.error = RpcError(ErrorCode::InvalidParams, error.message());
    } catch (const std::exception& error) {
        spdlog::error("a request failed: {}", error.what());
        out.error = RpcError(ErrorCode::Internal, "internal error");
    }
    reader.chain().release();
    return out;
}

// --- ReadLater ------------------------------------------------------------------------------------------

// From the reader's thread to the chain's.
struct ReadLater::Shared {
    std::mutex mutex;
    std::optional<ReadOutcome> outcome;
};

ReadLater::ReadLater(ReadPool& pool) : m_pool(pool), m_shared(std::make_shared<Shared>()) {}

ReadLater::~ReadLater() {
    if (m_job)
        m_pool.cancel(m_job);
}

std::shared_ptr<ReadLater> ReadLater::start(Service& service, ClientId client, ReadPool::Work work) {
    std::shared_ptr<ReadLater> out(new ReadLater(*service.readers()));
    out->wait();
    const auto done = [shared = out->m_shared, later = std::weak_ptr<Later>(out),
                       mailbox = service.mailbox()](ReadOutcome outcome) {
        {
            const std::lock_guard lock(shared->mutex);
            shared->outcome = std::move(outcome);
        }
        mailbox->post([later] {
            if (const LaterPtr waiting = later.lock())
                waiting->wake();
        });
    };
    out->m_job = service.readers()->submit(client, std::move(work), done);
    return out;
}

std::optional<std::string> ReadLater::resume() {
    std::optional<ReadOutcome> outcome;
    {
        const std::lock_guard lock(m_shared->mutex);
        outcome = std::move(m_shared->outcome);
    }
    if (!outcome)
        throw RpcError(ErrorCode::TimedOut, "the request was given up before it was answered");
    m_job = nullptr;
    if (outcome->error)
        throw RpcError(*std::move(outcome->error));
    return std::move(outcome->text);
}

namespace {

class ReadNow final : public Later {
public:
    ReadNow(Service& service, ReadPool::Work work) : m_service(service), m_work(std::move(work)) {}
    std::optional<std::string> resume() override { return json::serialize(m_work(m_service)); }

private:
    Service& m_service;
    ReadPool::Work m_work;
};

}  // namespace

LaterPtr read_later(Service& service, ClientId client, ReadPool::Work work) {
    if (service.readers() == nullptr)
        return std::make_shared<ReadNow>(service, std::move(work));
    return ReadLater::start(service, client, std::move(work));
}

}  // namespace meridian::rpc
