internal import GuestTree
internal import Storage

/// A plan for people: a summary that fits a screen, and the diff. Bytes, because the diff shows the guest's own.
package enum PlanText {
    /// The summary and the diff behind it.
    package static func text(
        of plan: Plan, guestTitle: String, naming name: @escaping (PlanRemedy) -> String = { $0.plain }
    ) -> [UInt8] {
        summary(of: plan, guestTitle: guestTitle, naming: name) + diff(of: plan)
    }

    /// The edits and the new files as a unified diff; empty when there is neither.
    package static func diff(of plan: Plan) -> [UInt8] {
        plan.actions.flatMap { action -> [UInt8] in
            switch action.kind {
            case .edit(let edit): UnifiedDiff.bytes(edit)
            case .create(let place, let contents, _):
                UnifiedDiff.bytes(creating: place.path.bytes, contents)
            case .copy, .replace, .rename, .remove, .setLabel, .deviceBytes: []
            }
        }
    }

    /// Whether it boots and what, which machine it needs, what changes and why, what is left to do by hand.
    package static func summary(
        of plan: Plan, guestTitle: String, naming name: @escaping (PlanRemedy) -> String = { $0.plain }
    ) -> [UInt8] {
        var lines = Lines(plan: plan, name: name)
        let source = plan.source.hypervisor == nil ? "" : " from \(plan.source.summary)"
        lines.add("\(guestTitle):\(source) to \(plan.target.name)")
        lines.addOutcome()
        lines.add("machine: \(plan.machine.summary)")
        lines.addControllers()
        for path in plan.boot { lines.add("\(path.firmware.rawValue) starts: \(path.sentence)") }
        for change in PlanChange.all(of: plan) { lines.add("change: \(change.sentence)") }
        if plan.actions.isEmpty, plan.refusal == nil { lines.add("nothing to do") }
        for reference in plan.unresolved {
            guard let reason = reference.unresolved else { continue }
            let words = lines.once(reason.sentence)
            lines.add("unresolved: \(reference.path):\(reference.line): \(reference.text): \(words)")
        }
        for item in plan.advice {
            lines.add("advice: " + (item.path.map { "\($0): " } ?? "") + lines.words(item.message))
        }
        for (index, verdict) in plan.verdicts.enumerated()
        where index == 0 || !verdict.says(sameAs: plan.verdicts[index - 1]) {
            lines.add(verdict)
        }
        return Array(lines.text.utf8)
    }

    /// The lines of a summary, in which no reason is said twice.
    private struct Lines {
        let plan: Plan
        let name: (PlanRemedy) -> String
        private(set) var text = ""
        private var told: Set<String> = []

        init(plan: Plan, name: @escaping (PlanRemedy) -> String) {
            self.plan = plan
            self.name = name
        }

        /// Titles and paths are the guest's, and could steer a terminal that a pipe ends at.
        mutating func add(_ line: String) { text += Array(line.utf8).displayText + "\n" }

        func words(_ sentence: Sentence) -> String { sentence.text(naming: name) }

        /// A reason, or that it is the one above.
        mutating func once(_ sentence: Sentence) -> String {
            let words = words(sentence)
            return told.insert(words).inserted ? words : "as above"
        }

        /// The chosen controller's way, and what each of them is, those that are alike together.
        mutating func addControllers() {
            if let way = plan.way.summary { add("drivers: \(plan.controller.rawValue), \(way)") }
            guard plan.controllers.contains(where: { $0.state != .unknown }) else { return }
            var kinds: [(words: String, names: [String])] = []
            for verdict in plan.controllers {
                let words = verdict.summary
                if let index = kinds.firstIndex(where: { $0.words == words }) {
                    kinds[index].names.append(verdict.controller.rawValue)
                } else {
                    kinds.append((words, [verdict.controller.rawValue]))
                }
            }
            let parts = kinds.map { "\($0.words): \($0.names.joined(separator: ", "))" }
            add("controllers \(parts.joined(separator: "; "))")
            addUnprepared()
        }

        /// The controller that people attach disks to by habit, where it is another one and the guest is not made ready for it.
        private mutating func addUnprepared() {
            guard plan.refusal == nil, let usual = plan.controllers.first,
                usual.controller != plan.controller,
                case .missing = usual.state
            else { return }
            let way: Sentence = "\(remedy: .controller(usual.controller)) makes the guest ready for that"
            add("behind \(usual.controller.rawValue) it does not find its disks: \(words(way))")
        }

        mutating func addOutcome() {
            switch plan.outcome {
            case .cannot(let reason):
                if case .defaultCannot(_, let inner, _) = reason { _ = once(inner.sentence) }
                add("boots: no")
                let words = once(reason.sentence)
                add("nothing is written: \(words)")
            case .notKnown:
                add("boots: not known" + (plan.unknown.map { ": " + words($0.sentence) } ?? ""))
            case .boots, .bootsWithEdits:
                var titles: [String] = []
                // Branches of one entry bear one title.
                for title in plan.bootingDefaults.map({ "“\($0.title)”" }) where !titles.contains(title) {
                    titles.append(title)
                }
                let entries =
                    titles.isEmpty ? "which entry by itself is not known" : titles.joined(separator: ", ")
                let edits = plan.outcome == .boots ? "" : ", with these edits"
                if plan.areDriversKnown {
                    add("boots: yes\(edits): \(entries)")
                } else {
                    add("boots: yes\(edits), if the drivers are there, which is not known: \(entries)")
                }
            }
        }

        mutating func add(_ verdict: EntryVerdict) {
            let head = "\(verdict.isDefault ? "default entry" : "entry") “\(verdict.title)”"
            if case .cannot(let reason) = verdict.outcome {
                let words = once(reason.sentence)
                add("\(head): cannot: \(words)")
                if let symptom = verdict.symptom { add("    it would stop with: \(symptom)") }
            } else {
                add("\(head): \(words(verdict.summary))")
            }
            for note in verdict.notes {
                let words = once(note.sentence)
                add("    \(words)")
            }
        }
    }
}
