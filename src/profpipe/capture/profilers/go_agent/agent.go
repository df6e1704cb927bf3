// Added by profpipe to package main of the server while it is profiled (`go build -overlay`); no file of the checkout
// is changed. Nothing is collected until a signal opens the window, and a second one closes it.
//
// PROFPIPE_GO_AGENT holds FOLDER, MODE and RATE, separated by newlines. In FOLDER the agent writes ready.PID at the
// start, started.PID when the window is open, and saved.PID (figures, one `name value` a line) when the profiles are
// complete; failed.PID holds the reason when a step failed. Each is whole as soon as its name exists.

package main

import (
	profpipeBytes "bytes"
	profpipeFmt "fmt"
	profpipeOS "os"
	profpipeSignal "os/signal"
	profpipeRuntime "runtime"
	profpipePprof "runtime/pprof"
	profpipeStrconv "strconv"
	profpipeStrings "strings"
	profpipeSyscall "syscall"
	profpipeTime "time"
)

const profpipeStart, profpipeStop = profpipeSyscall.Signal(41), profpipeSyscall.Signal(42) // SIGRTMIN+7 and +8

// The rate is 0 from before the first line of package main on: only what the window allocates is recorded.
var profpipeSettings = profpipeRead()

type profpipeAgent struct {
	folder, mode string
	rate         int
}

func profpipeRead() *profpipeAgent {
	fields := profpipeStrings.Split(profpipeOS.Getenv("PROFPIPE_GO_AGENT"), "\n")
	if len(fields) != 3 {
		return nil
	}
	rate, _ := profpipeStrconv.Atoi(fields[2])
	if fields[1] == "allocations" {
		profpipeRuntime.MemProfileRate = 0
	}
	return &profpipeAgent{fields[0], fields[1], rate}
}

func init() {
	if profpipeSettings == nil {
		return
	}
	signals := make(chan profpipeOS.Signal, 4)
	profpipeSignal.Notify(signals, profpipeStart, profpipeStop)
	go profpipeSettings.profpipeWait(signals)
	profpipeSettings.profpipeTell("ready", profpipeRuntime.Version())
}

func (a *profpipeAgent) profpipeWait(signals chan profpipeOS.Signal) {
	var cpu profpipeBytes.Buffer
	var before profpipeRuntime.MemStats
	var used int64
	running := false
	for signal := range signals {
		if signal == profpipeStart && !running {
			running = true
			profpipeRuntime.ReadMemStats(&before)
			used = profpipeCPU()
			a.profpipeCheck("start", a.profpipeBegin(&cpu))
			a.profpipeTell("started", "")
			for a.mode == "block" && len(signals) == 0 {
				profpipeTime.Sleep(5 * profpipeTime.Millisecond) // unlike a channel, it is not in the profile
			}
		} else if signal == profpipeStop && running {
			running = false
			a.profpipeCheck("save", a.profpipeEnd(&cpu, &before, profpipeCPU()-used))
		}
	}
}

// Microseconds of processor time of this process, all its threads.
func profpipeCPU() int64 {
	var used profpipeSyscall.Rusage
	profpipeSyscall.Getrusage(profpipeSyscall.RUSAGE_SELF, &used)
	return (used.Utime.Nano() + used.Stime.Nano()) / 1000
}

func (a *profpipeAgent) profpipeBegin(cpu *profpipeBytes.Buffer) error {
	switch a.mode {
	case "cpu":
		return a.profpipeSample(cpu)
	case "allocations":
		profpipeRuntime.MemProfileRate = 1
	case "contention":
		profpipeRuntime.SetMutexProfileFraction(1)
	case "block":
		profpipeRuntime.SetBlockProfileRate(1)
	}
	return nil
}

// StartCPUProfile asks for 100 samples a second and is told on stderr that another rate is set already: it is kept.
func (a *profpipeAgent) profpipeSample(cpu *profpipeBytes.Buffer) error {
	if a.rate == 100 {
		return profpipePprof.StartCPUProfile(cpu)
	}
	stderr, failed := profpipeSyscall.Dup(2)
	if failed == nil {
		if none, opened := profpipeOS.OpenFile(profpipeOS.DevNull, profpipeOS.O_WRONLY, 0); opened == nil {
			profpipeSyscall.Dup3(int(none.Fd()), 2, 0)
			none.Close()
		}
	}
	profpipeRuntime.SetCPUProfileRate(a.rate)
	started := profpipePprof.StartCPUProfile(cpu)
	if failed == nil {
		profpipeSyscall.Dup3(stderr, 2, 0)
		profpipeSyscall.Close(stderr)
	}
	return started
}

func (a *profpipeAgent) profpipeEnd(cpu *profpipeBytes.Buffer, before *profpipeRuntime.MemStats, used int64) error {
	var after profpipeRuntime.MemStats
	profpipeRuntime.ReadMemStats(&after)
	var failed error
	contended := 0
	switch a.mode {
	case "cpu":
		profpipePprof.StopCPUProfile()
		failed = a.profpipeWrite("cpu", cpu.Bytes())
	case "allocations":
		// What a cycle of the collector began to count is shown after the next one.
		profpipeRuntime.GC()
		profpipeRuntime.GC()
		failed = a.profpipeLookup("allocs")
		profpipeRuntime.MemProfileRate = 0
	case "contention":
		contended = profpipePprof.Lookup("mutex").Count()
		failed = a.profpipeLookup("mutex")
		profpipeRuntime.SetMutexProfileFraction(0)
	case "block":
		contended = profpipePprof.Lookup("block").Count()
		failed = a.profpipeLookup("block")
		profpipeRuntime.SetBlockProfileRate(0)
	}
	if failed == nil {
		a.profpipeTell("saved", profpipeFmt.Sprintf("mallocs %d\nbytes %d\ncollections %d\npause_ns %d\ncontended %d\ncpu_us %d\n",
			after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc, after.NumGC-before.NumGC,
			after.PauseTotalNs-before.PauseTotalNs, contended, used))
	}
	return failed
}

func (a *profpipeAgent) profpipeLookup(name string) error {
	var found profpipeBytes.Buffer
	if failed := profpipePprof.Lookup(name).WriteTo(&found, 0); failed != nil {
		return failed
	}
	return a.profpipeWrite(name, found.Bytes())
}

func (a *profpipeAgent) profpipeWrite(name string, content []byte) error {
	path := profpipeFmt.Sprintf("%s/%s.%d", a.folder, name, profpipeOS.Getpid())
	if failed := profpipeOS.WriteFile(path+"~", content, 0o644); failed != nil {
		return failed
	}
	return profpipeOS.Rename(path+"~", path)
}

func (a *profpipeAgent) profpipeTell(step, content string) {
	a.profpipeCheck(step, a.profpipeWrite(step, []byte(content)))
}

func (a *profpipeAgent) profpipeCheck(step string, failed error) {
	if failed != nil && step != "failed" {
		a.profpipeTell("failed", step+": "+failed.Error())
	}
}
