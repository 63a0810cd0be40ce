// The servers on Boost.Asio: async_read_until into a dynamic buffer, answered with one async_write for all whole lines.
// server MODE PORT SIZE LOOPS
#include <boost/asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace asio = boost::asio;
using asio::ip::tcp;

static std::string mode;
static size_t size;

class session : public std::enable_shared_from_this<session> {
public:
    explicit session(tcp::socket socket) : socket_(std::move(socket)) { }

    void start()
    {
        if (mode == "sink-bulk") read_bytes();
        else read_line();
    }

private:
    void read_line()
    {
        asio::async_read_until(socket_, asio::dynamic_buffer(in_), '\n', [self = shared_from_this()](boost::system::error_code error, size_t length) {
            if (error) self->end();
            else self->line(length);
        });
    }

    void line(size_t length)
    {
        if (mode == "message") {
            out_ = std::to_string(length) + "\n";
            in_.erase(0, length);
        } else {
            // async_read_until reads more than one line if there is more: handle all of them at once.
            size_t end = length;
            lines_++;
            for (size_t next; (next = in_.find('\n', end)) != std::string::npos; end = next + 1) lines_++;
            if (mode == "echo") out_.assign(in_, 0, end);
            in_.erase(0, end);
        }

        if (mode == "sink-lines") read_line();
        else write();
    }

    void write()
    {
        asio::async_write(socket_, asio::buffer(out_), [self = shared_from_this()](boost::system::error_code error, size_t) {
            if (!error) self->read_line();
        });
    }

    void read_bytes()
    {
        in_.resize(size);
        socket_.async_read_some(asio::buffer(in_), [self = shared_from_this()](boost::system::error_code error, size_t length) {
            self->lines_ += length;
            if (error) self->end();
            else self->read_bytes();
        });
    }

    void end()
    {
        if (mode.compare(0, 4, "sink") != 0) return;
        boost::system::error_code ignored;
        asio::write(socket_, asio::buffer(std::to_string(lines_) + "\n"), ignored);
    }

    tcp::socket socket_;
    std::string in_, out_;
    size_t lines_ = 0;
};

static void accept(tcp::acceptor &acceptor)
{
    acceptor.async_accept([&](boost::system::error_code error, tcp::socket socket) {
        if (!error) {
            socket.set_option(tcp::no_delay(true));
            std::make_shared<session>(std::move(socket))->start();
        }

        accept(acceptor);
    });
}

int main(int count, char **arguments)
{
    if (count < 5) return 2;
    mode = arguments[1];
    size = std::atoi(arguments[3]);
    if (mode != "echo" && mode != "message" && mode != "sink-lines" && mode != "sink-bulk") return 2;
    asio::io_context context(1);
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), std::atoi(arguments[2])));
    accept(acceptor);
    std::puts("ready");
    std::fflush(stdout);
    context.run();
}
