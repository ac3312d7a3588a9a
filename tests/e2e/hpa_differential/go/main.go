// Upstream's HPA controller as a filter: cases as JSON lines on stdin, its answers as JSON lines on stdout.
//
// Everything runs in a synctest bubble, where time stands still: ages can be exactly as long as a window.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

func main() {
	klog.SetLogger(logr.Discard())
	serve := func(t *testing.T) { synctest.Test(t, func(*testing.T) { filter() }) }
	tests := []testing.InternalTest{{Name: "serve", F: serve}}
	testing.Main(func(string, string) (bool, error) { return true, nil }, tests, nil, nil)
}

func filter() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var one Case
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fail("a line is no case: %v\n%s", err, lines.Text())
		}
		if err := encoder.Encode(answer(one)); err != nil {
			fail("an answer can't be written: %v", err)
		}
	}
	if err := lines.Err(); err != nil {
		fail("stdin can't be read: %v", err)
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(2)
}
