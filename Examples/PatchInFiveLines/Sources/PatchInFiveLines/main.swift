// Opens a disk image, prints what its guest needs to boot under KVM, and patches it in place.
import DiskGraft

let guest = try Guest.open([CommandLine.arguments[1]], forWriting: true)
let options = PlanOptions(target: .kvm)
let plan = try guest.plan(options)
print(plan.diff)
try guest.patch(plan, options)
