// The servers in idiomatic Go: one goroutine per connection, bufio in both directions.
// server MODE PORT SIZE LOOPS
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
)

var (
	size int
	lock sync.Mutex
	all  = map[net.Conn]bool{}
)

// echo flushes when no further line has arrived, which is the usual way to answer pipelined requests.
func echo(connection net.Conn) {
	reader := bufio.NewReader(connection)
	writer := bufio.NewWriter(connection)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return
		}
		writer.Write(line)
		if reader.Buffered() == 0 && writer.Flush() != nil {
			return
		}
	}
}

func countLines(connection net.Conn) {
	reader := bufio.NewReaderSize(connection, 65536)
	lines := 0
	for {
		if _, err := reader.ReadSlice('\n'); err != nil {
			break
		}
		lines++
	}
	fmt.Fprintf(connection, "%d\n", lines)
}

func countBytes(connection net.Conn) {
	buffer := make([]byte, size)
	bytes := 0
	for {
		count, err := connection.Read(buffer)
		bytes += count
		if err != nil {
			break
		}
	}
	fmt.Fprintf(connection, "%d\n", bytes)
}

func sendBytes(connection net.Conn) {
	pattern := make([]byte, size)
	for i := range pattern {
		pattern[i] = byte(i)
	}
	line, _ := bufio.NewReader(connection).ReadString('\n')
	left, _ := strconv.Atoi(line[:len(line)-1])
	for ; left > 0; left -= size {
		part := pattern
		if left < size {
			part = pattern[:left]
		}
		if _, err := connection.Write(part); err != nil {
			return
		}
	}
}

func answerLength(connection net.Conn) {
	reader := bufio.NewReaderSize(connection, 65536)
	for {
		message, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		fmt.Fprintf(connection, "%d\n", len(message))
	}
}

func broadcast(connection net.Conn) {
	lock.Lock()
	all[connection] = true
	lock.Unlock()
	reader := bufio.NewReader(connection)
	for {
		line, err := reader.ReadSlice('\n')
		lock.Lock()
		if err != nil {
			delete(all, connection)
			lock.Unlock()
			return
		}
		for other := range all {
			other.Write(line)
		}
		lock.Unlock()
	}
}

func main() {
	modes := map[string]func(net.Conn){"echo": echo, "sink-lines": countLines, "sink-bulk": countBytes,
		"source-bulk": sendBytes, "message": answerLength, "broadcast": broadcast}
	handle := modes[os.Args[1]]
	size, _ = strconv.Atoi(os.Args[3])
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[2])
	if handle == nil || err != nil {
		os.Exit(2)
	}
	fmt.Println("ready")
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go func() {
			handle(connection)
			connection.Close()
		}()
	}
}
