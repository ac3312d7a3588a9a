package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

type told map[string]any

func answer(one Case) told {
	in := one.In
	setGates(in.Gates)
	setScaleUpLimit(in)
	switch one.Kind {
	case "group_pods":
		return groupPods(in)
	case "convert_without_behavior":
		replicas, reason := podautoscaler.OpenedConvert(in.Current, in.Desired, *in.Min, in.Max)
		return told{"replicas": replicas, "reason": reason}
	case "rate_limit_with_behavior":
		return rateLimit(in)
	case "scale_up_limit":
		rules := (&Behavior{ScaleUp: in.Rules}).defaulted().ScaleUp
		return told{"limit": podautoscaler.OpenedUpLimit(in.Current, events(in.Ups), events(in.Downs), rules)}
	case "scale_down_limit":
		rules := (&Behavior{ScaleDown: in.Rules}).defaulted().ScaleDown
		return told{"limit": podautoscaler.OpenedDownLimit(in.Current, events(in.Ups), events(in.Downs), rules)}
	case "stabilize_without_behavior":
		return stabilize(in)
	case "stabilize_with_behavior":
		return stabilizeWithBehavior(in)
	case "store_scale_event":
		return store(in)
	case "tolerance":
		kept := resource.MustParse(stored(in.Quantity))
		return told{"tolerance": kept.AsApproximateFloat64()}
	case "reconcile":
		return reconcile(in)
	}
	return calculate(one.Kind, in)
}

func setScaleUpLimit(in Input) {
	factor, minimum := in.Config.ScaleUpFactor, in.Config.ScaleUpMinimum
	if in.ScaleUpFactor != nil {
		factor, minimum = *in.ScaleUpFactor, *in.ScaleUpMinimum
	}
	podautoscaler.OpenScaleUpLimit(factor, minimum)
}

func calculate(kind string, in Input) told {
	made := pods(in.Pods)
	request(made, in.Pods, in.Resource)
	client := readings{
		samples: map[string]metricsclient.PodMetricsInfo{
			in.Resource + "/" + in.Container: samples(in.Pods, in.UnknownPods), "metric": samples(in.Pods, in.UnknownPods),
		},
		values: map[string][]int64{"metric": in.Values, "value": {in.Value}},
	}
	calculator := podautoscaler.NewReplicaCalculator(client, lister{pods: made}, seconds(in.CPUInitialization), seconds(in.ReadinessDelay))
	tolerances := podautoscaler.OpenedTolerances(in.Tolerance.Down, in.Tolerance.Up)
	all, ctx, object := labels.Everything(), context.Background(), &autoscaling.CrossVersionObjectReference{}
	name := v1.ResourceName(in.Resource)
	switch kind {
	case "calc_resource_utilization":
		replicas, utilization, raw, _, err := calculator.GetResourceReplicas(ctx, in.Current, in.TargetUtilization, name, tolerances, "default", all, in.Container)
		return orError(err, told{"replicas": replicas, "utilization": utilization, "raw_average_m": raw})
	case "calc_resource_average":
		replicas, usage, _, err := calculator.GetRawResourceReplicas(ctx, in.Current, in.TargetAverage, name, tolerances, "default", all, in.Container)
		return orError(err, told{"replicas": replicas, "average_m": usage})
	case "calc_pods_average":
		replicas, usage, _, err := calculator.GetMetricReplicas(in.Current, in.TargetAverage, "metric", tolerances, "default", all, all)
		return orError(err, told{"replicas": replicas, "average_m": usage})
	case "calc_object_value":
		replicas, usage, _, err := calculator.GetObjectMetricReplicas(in.Current, in.TargetValue, "value", tolerances, "default", object, all, all)
		return orError(err, told{"replicas": replicas, "usage_m": usage})
	case "calc_object_average":
		replicas, usage, _, err := calculator.GetObjectPerPodMetricReplicas(in.StatusReplicas, in.TargetAverage, "value", tolerances, "default", object, all)
		return orError(err, told{"replicas": replicas, "average_m": usage})
	case "calc_external_value":
		replicas, usage, _, err := calculator.GetExternalMetricReplicas(in.Current, in.TargetValue, "metric", tolerances, "default", nil, all)
		return orError(err, told{"replicas": replicas, "usage_m": usage})
	case "calc_external_average":
		replicas, usage, _, err := calculator.GetExternalPerPodMetricReplicas(in.StatusReplicas, in.TargetAverage, "metric", tolerances, "default", nil)
		return orError(err, told{"replicas": replicas, "average_m": usage})
	}
	fail("unknown kind %q", kind)
	return nil
}

// causes: how upstream words its errors, and what a case calls them. The first that is found counts.
var causes = []struct{ words, name string }{
	{"no metrics returned matched known pods", "no_matching_metrics"},
	{errNothing.Error(), "unavailable"},
	{"no pods returned by selector", "no_pods"},
	{"did not receive metrics for targeted pods", "no_metrics"},
	{"missing request for", "missing_request"},
	{"missing pod-level request for", "missing_request"},
	{"not found in Pod", "missing_container"},
}

func orError(err error, calculated told) told {
	if err == nil {
		return calculated
	}
	for _, one := range causes {
		if strings.Contains(err.Error(), one.words) {
			return told{"error": one.name}
		}
	}
	return told{"error": err.Error()}
}

func groupPods(in Input) told {
	ready, unready, missing, ignored := podautoscaler.OpenedGroupPods(pods(in.Pods), samples(in.Pods, nil), v1.ResourceName(in.Resource), seconds(in.CPUInitialization), seconds(in.ReadinessDelay))
	return told{"ready_count": ready, "unready": places(unready), "missing": places(missing), "ignored": places(ignored)}
}

func places(names map[string]bool) []int {
	found := []int{}
	for name := range names {
		place, err := strconv.Atoi(name)
		if err != nil {
			fail("no place: %q", name)
		}
		found = append(found, place)
	}
	slices.Sort(found)
	return found
}

func rateLimit(in Input) told {
	behavior := (&Behavior{in.ScaleUp, in.ScaleDown}).defaulted()
	opened := podautoscaler.Open(podautoscaler.OpenedParts{Ups: events(in.Ups), Downs: events(in.Downs)})
	replicas, reason := opened.RateLimit(in.Current, in.Desired, *in.Min, in.Max, behavior.ScaleUp, behavior.ScaleDown)
	return told{"replicas": replicas, "reason": reason}
}

func stabilize(in Input) told {
	opened := podautoscaler.Open(podautoscaler.OpenedParts{
		Recommendations: recommendations(in.Recommendations), Stabilization: seconds(float64(in.Window)),
	})
	replicas := opened.Stabilize(in.Desired)
	return told{"replicas": replicas, "log_length": len(opened.Recommendations()), "log": logged(opened)}
}

func stabilizeWithBehavior(in Input) told {
	opened := podautoscaler.Open(podautoscaler.OpenedParts{Recommendations: recommendations(in.Recommendations)})
	behavior := (&Behavior{&Rules{Stabilization: &in.UpWindow}, &Rules{Stabilization: &in.DownWindow}}).defaulted()
	replicas, reason := opened.StabilizeWithBehavior(in.Current, in.Desired, behavior.ScaleUp, behavior.ScaleDown)
	return told{"replicas": replicas, "reason": reason, "log": logged(opened)}
}

func logged(opened podautoscaler.Opened) []int32 {
	log := []int32{}
	for _, one := range opened.Recommendations() {
		log = append(log, one.Replicas)
	}
	return log
}

// store scales up by the change; downwards is met by reconcile.
func store(in Input) told {
	opened := podautoscaler.Open(podautoscaler.OpenedParts{Ups: events(in.Previous)})
	sum := podautoscaler.OpenedChange(in.WindowForSum, events(in.Previous))
	if in.Rules != nil {
		opened.Store((&Behavior{ScaleUp: in.Rules}).defaulted(), 1, 1+in.Change)
	}
	kept := []told{}
	for _, one := range opened.Ups() {
		kept = append(kept, told{"change": one.Change, "outdated": one.Outdated})
	}
	return told{"events": kept, "sum_of_previous_in_window": sum}
}
