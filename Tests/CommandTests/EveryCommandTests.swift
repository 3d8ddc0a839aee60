import Foundation
import HostIO
import Storage
import TestSupport
import Testing

/// What holds for every command.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "sfdisk", "tar"), "judges are missing"))
struct EveryCommandTests {
    @Test func noCommandIsWithoutARow() throws {
        let help = try Fixture.diskgraft("--help").text
        let list = try #require(help.components(separatedBy: "SUBCOMMANDS:\n").last)
        let commands = list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0 != "See" }
        #expect(commands.count > 30)
        #expect(Set(CommandForm.all.map(\.command)) == Set(commands))
        // What changes files can be told by its help: it may have to turn a disk's tracking off.
        for command in commands {
            let changes = try CommandForm.flags(of: command).contains("--drop-cbt") || command == "undo"
            #expect(
                CommandForm.writing.contains { $0.command == command } == changes,
                "\(command) has no row that writes, or does not write")
        }
    }

    /// Each of them does its work on the guest of the table: otherwise what is shown below would be nothing.
    @Test(arguments: CommandForm.all) func everyRowWorks(_ form: CommandForm) throws {
        let place = try CommandPlace()
        let result = try Tool.run(
            "env", ["EDITOR=sed -i s/new/other/", Fixture.command] + form.arguments(place), expect: nil)
        // A disk that is no GPT has nothing to mend, nor one that is no qcow2; what is behind the end is in use.
        let isNothing =
            form.words.contains("--repair") || form.words.contains("-r") || form.words.contains("--shrink")
        #expect(result.status == 0 || isNothing, "\(form): \(result.errorText)")
        guard !isNothing else { return }
        #expect(try place.isAsBefore() == !form.writes, "\(form)")
    }

    // MARK: Locks

    @Test(arguments: CommandForm.writing) func whatWritesTakesNoForceShare(_ form: CommandForm) throws {
        let place = try CommandPlace()
        for flag in ["-U", "--force-share"] {
            let result = try Tool.run(Fixture.command, form.arguments(place) + [flag], expect: 1...2)
            #expect(result.errorText.contains("takes no -U"), "\(form): \(result.errorText)")
        }
        #expect(try place.isAsBefore(), "\(form)")
    }

    /// What another program is writing to is read with -U alone, and written by nobody.
    @Test(arguments: CommandForm.all) func besideAWriter(_ form: CommandForm) throws {
        let place = try CommandPlace()
        let writer = try HostFile.open(place.image, access: .write)
        let result = try Tool.run(Fixture.command, form.arguments(place), expect: nil)
        // As with qemu-img 2 is damage there.
        #expect(result.status == (form.command == "check" ? 1 : 2), "\(form)")
        #expect(result.errorText.contains("another process"), "\(form): \(result.errorText)")
        #expect(try place.isAsBefore(), "\(form)")
        #expect(!FileManager.default.fileExists(atPath: place.out), "\(form)")
        guard !form.writes, form.command != "create" else { return }
        let read = try Tool.run(Fixture.command, form.arguments(place) + ["-U"], expect: nil)
        #expect(read.status == 0, "\(form): \(read.errorText)")
        withExtendedLifetime(writer) {}
    }

    /// What the host has mounted is not written with any flag.
    @Test(
        .enabled(if: LoopDevices.areThere, "needs root and loop devices"), arguments: CommandForm.writing)
    func whatIsMountedIsNotWritten(_ form: CommandForm) throws {
        let place = try CommandPlace()
        let device = try LoopDevices.name()
        try Tool.run("losetup", ["-o", String(Fixture.rootOffset), device, place.image])
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        let point = place.directory.path("mnt")
        try Tool.run("mkdir", [point])
        try Tool.run("mount", ["-o", "ro,noload", device, point])
        defer { _ = try? Tool.run("umount", [point]) }
        // One form of each command has all of its flags.
        let isFirst = CommandForm.writing.first { $0.command == form.command }?.words == form.words
        let flags = isFirst ? try CommandForm.flags(of: form.command) : []
        for flag in [[]] + flags.map({ [$0] }) {
            let result = try Tool.run(Fixture.command, form.arguments(place) + flag, expect: nil)
            #expect([1, 2, 64].contains(result.status), "\(form) \(flag): \(result.status) \(result.text)")
            if flag.isEmpty { #expect(result.errorText.contains(device), "\(form): \(result.errorText)") }
        }
        #expect(try place.isAsBefore(), "\(form)")
    }

    /// What an image is called is shown as the host has it, or quoted, and never as the engine holds it.
    @Test(.enabled(if: Tool.has("bash"), "bash is missing"), arguments: CommandForm.all)
    func anImageOfAnyName(_ form: CommandForm) throws {
        let place = try CommandPlace()
        let name: [UInt8] = [0x6e, 0xff, 0x20]
        let image = Array((place.directory.root + "/").utf8) + name
        let made =
            "mv \(place.image) \(image.shellText); mv \(place.image).undo \((image + Array(".undo".utf8)).shellText)"
        try Tool.run("bash", ["-c", made])
        let words = form.arguments(place, image: "IMAGE").map { $0 == "IMAGE" ? image : Array($0.utf8) }
        let result = try Fixture.diskgraft(bytes: words, expect: nil, directory: place.directory.root)
        let said = result.output + result.errors
        #expect(result.status < 128 && result.status != 64, "\(form): \(result.errorText)")
        #expect(!said.indices.contains { said[$0...].starts(with: [0xf4, 0x8f]) }, "\(form): \(result.text)")
    }

    // MARK: Half changed

    /// What was changed half-way is read by nobody, and where something else has written since, whoever would write is told of
    /// the way that loses nothing first.
    @Test(arguments: CommandForm.all) func whatIsHalfChanged(_ form: CommandForm) throws {
        guard form.command != "undo" else { return }
        let place = try CommandPlace()
        try place.changeHalf()
        let refusal = try Tool.run(Fixture.command, form.arguments(place), expect: 1...2)
        #expect(refusal.errorText.contains("cut off"), "\(form): \(refusal.errorText)")
        // With --json the refusal itself, and nothing of the image.
        #expect(
            refusal.output.isEmpty || form.command == "check"
                || refusal.text.hasPrefix("{\n  \"error\" : {"), "\(form): \(refusal.text)")
        #expect(!FileManager.default.fileExists(atPath: place.out), "\(form)")
        #expect(try place.isAsBefore(), "\(form)")
        let text = refusal.errorText
        guard let force = text.range(of: "undo --force") else { return }
        let discard = try #require(text.range(of: "undo --discard"), "\(form): \(text)")
        #expect(discard.lowerBound < force.lowerBound, "\(form): \(text)")
    }

    // MARK: Signals

    /// The first signal ends a command at its next look at the image, at the first and at the third, and leaves the
    /// image as it was. Reads that take long are made so from outside.
    @Test(
        .enabled(if: Tool.has("strace", "bash"), "strace is missing"), arguments: CommandForm.all)
    func theFirstSignalEndsIt(_ form: CommandForm) throws {
        let place = try CommandPlace()
        let script = try place.directory.write("script", Self.script)
        let log = place.directory.path("log")
        func run(_ signal: String, _ number: Int) throws -> (status: Int32, text: String, calls: [Substring])
        {
            let result = try Tool.run(
                "env",
                [
                    "EDITOR=sleep 60", "bash", script, log, place.image, signal, String(number),
                    Fixture.command,
                ]
                    + form.arguments(place), expect: nil)
            let calls = String(decoding: try fileBytes(log), as: UTF8.self).split(separator: "\n")
            return (result.status, result.errorText, calls)
        }
        for (signal, number, status) in [("INT", 1, 130), ("TERM", 3, 143)] as [(String, Int, Int32)] {
            // Some of those that write read little else.
            guard number == 1 || !form.writes else { break }
            let (ended, text, calls) = try run(signal, number)
            #expect(ended == status, "\(form): \(ended) \(text)")
            #expect(text.contains("interrupted"), "\(form): \(text)")
            // One more for each that reads beside others.
            let behind = calls.drop { !$0.contains("--- SIG\(signal)") }.filter { $0.contains("pread64(") }
            #expect(behind.count <= ProcessInfo.processInfo.activeProcessorCount, "\(form): \(behind)")
            #expect(try place.isAsBefore(), "\(form)")
            try place.clearOutput()
        }
    }

    /// Runs a command whose read of that number of the image takes long, and sends it a signal then.
    private static let script = """
        set -m
        log=$1 image=$2 signal=$3 number=$4; shift 4; rm -f "$log"
        strace -f -qq -o "$log" -P "$image" -P "$image.undo" -e trace=pread64 -e inject=pread64:delay_enter=200000 "$@" >/dev/null &
        for try in $(seq 6000); do
            child=$(cat /proc/$!/task/$!/children 2>/dev/null); child=${child%% *}
            [ "$(grep -c 'pread64(' "$log" 2>/dev/null)" -ge $number ] && break
            kill -0 $! || break
        done
        kill -$signal $child
        wait $!
        """
}
